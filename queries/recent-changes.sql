-- title: What changed in the last 30 minutes?
-- description: One row per call that changed something, newest first.
-- parameters:
--   minutes: { type: integer, default: 30, doc: "How many minutes to look back." }
--   until: { type: time, default: newest, doc: "End of these minutes; newest means the newest event of the store." }
SELECT event_time, account_id, aws_region, principal, session_name, event_source, event_name, source_ip,
  request_parameters, event_id
FROM cloudtrail
WHERE event_time >= date_add('minute', 0 - :minutes, :until) AND event_time < :until
  AND outcome = 'success' AND coalesce(read_only, false) = false AND actor_type <> 'service'
  AND event_name NOT IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity', 'ConsoleLogin', 'Decrypt',
    'GenerateDataKey')
ORDER BY event_time DESC, event_id
