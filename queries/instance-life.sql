-- title: What happened to this instance?
-- description: One row per call that names the instance or came from its own role session, oldest first.
-- parameters:
--   instance: { type: text, doc: "The instance id, i-…" }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT event_time, account_id, aws_region, principal, session_name, event_source, event_name, outcome, source_ip,
  request_parameters, event_id
FROM cloudtrail
WHERE (session_name = :instance
    OR strpos(coalesce(request_parameters, ''), :instance) > 0
    OR strpos(coalesce(response_elements, ''), :instance) > 0
    OR strpos(coalesce(resources, ''), :instance) > 0)
  AND event_time >= :from AND event_time < :to
ORDER BY event_time, event_id
