-- title: Who read this secret?
-- description: One row per caller and secret or parameter that was read.
-- parameters:
--   secret: { type: text, default: '', doc: "Part of the name or ARN; empty for all." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT account_id, principal, event_name,
  coalesce(
    json_extract_scalar(request_parameters, '$.secretId'),
    json_extract_scalar(request_parameters, '$.name'),
    request_parameters
  ) AS secret,
  outcome, source_ip, count(*) AS reads, min(event_time) AS first_seen, max(event_time) AS last_seen
FROM cloudtrail
WHERE (event_source = 'secretsmanager.amazonaws.com' AND event_name IN ('GetSecretValue', 'BatchGetSecretValue')
    OR event_source = 'ssm.amazonaws.com'
    AND event_name IN ('GetParameter', 'GetParameters', 'GetParametersByPath', 'GetParameterHistory'))
  AND strpos(lower(coalesce(request_parameters, '')), lower(:secret)) > 0
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY last_seen DESC, account_id, principal, event_name, secret, outcome, source_ip
