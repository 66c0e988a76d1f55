-- title: Which sessions assumed a further role?
-- description: One row per pair of role assumptions where the credentials of the first made the second.
-- parameters:
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
WITH assumed AS (
  SELECT event_time, event_id, principal, access_key_id, source_ip, account_id,
    json_extract_scalar(request_parameters, '$.roleArn') AS role_arn,
    json_extract_scalar(response_elements, '$.credentials.accessKeyId') AS session_key
  FROM cloudtrail
  WHERE event_source = 'sts.amazonaws.com'
  AND event_name IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
    AND outcome = 'success'
  AND event_time >= :from AND event_time < :to
)
SELECT origin.event_time AS first_time, origin.principal AS caller, origin.role_arn AS first_role,
  further.event_time AS second_time,
  further.role_arn AS second_role, further.account_id AS second_account_id, further.source_ip,
  further.access_key_id AS session_key, further.event_id
FROM assumed AS origin
JOIN assumed AS further ON further.access_key_id = origin.session_key
ORDER BY first_time, second_time, further.event_id
