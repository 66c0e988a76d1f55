-- title: Who assumed which role?
-- description: One row per caller and role, with how often and when.
-- parameters:
--   role: { type: text, default: '', doc: "Part of the ARN of the role; empty for all." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT coalesce(invoked_by, principal) AS caller, json_extract_scalar(request_parameters, '$.roleArn') AS role_arn,
  event_name, outcome,
  count(*) AS events, count(DISTINCT source_ip) AS addresses, min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM cloudtrail
WHERE event_source = 'sts.amazonaws.com'
  AND event_name IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
  AND strpos(lower(coalesce(json_extract_scalar(request_parameters, '$.roleArn'), '')), lower(:role)) > 0
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4
ORDER BY events DESC, caller, role_arn, event_name, outcome
