-- title: What did this principal do, in order?
-- description: One row per event of the principal, oldest first.
-- parameters:
--   principal: { type: text, doc: "Part of the principal or of its session name." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT event_time, account_id, aws_region, principal, session_name, event_source, event_name, outcome, error_code,
  source_ip, access_key_id, user_agent,
  request_parameters, event_id
FROM cloudtrail
WHERE strpos(lower(concat(principal, ' ', coalesce(session_name, ''))), lower(:principal)) > 0
  AND event_time >= :from AND event_time < :to
ORDER BY event_time, event_id
