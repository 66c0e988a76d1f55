-- title: Who deleted it?
-- description: One row per call that deleted, terminated or removed the thing, newest first.
-- parameters:
--   name: { type: text, doc: "Part of the name, id or ARN of what is gone." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT event_time, account_id, aws_region, principal, session_name, event_name, outcome, error_code, source_ip,
  user_agent, request_parameters, event_id
FROM cloudtrail
WHERE event_time >= :from AND event_time < :to
  AND regexp_like(
    event_name,
    '^(Delete|Terminate|Remove|Deregister|Destroy|Purge|Release|Revoke|Detach|Schedule.*Deletion|Cancel|Disable)'
  )
  AND (strpos(lower(coalesce(request_parameters, '')), lower(:name)) > 0
  OR strpos(lower(coalesce(resources, '')), lower(:name)) > 0)
ORDER BY event_time DESC, event_id
