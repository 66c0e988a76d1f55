-- title: What did the root user do?
-- description: One row per call of a root user that no AWS service made for it, newest first.
-- parameters:
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT event_time, account_id, aws_region, event_source, event_name, outcome, error_code, source_ip, user_agent,
  access_key_id, mfa, event_id
FROM cloudtrail
WHERE user_type = 'Root' AND coalesce(invoked_by, '') = '' AND event_type <> 'AwsServiceEvent'
  AND event_time >= :from AND event_time < :to
ORDER BY event_time DESC, event_id
