-- title: Which security groups were changed?
-- description: One row per change of a security group, newest first.
-- parameters:
--   group: { type: text, default: '', doc: "Part of the id or name of the group; empty for all." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT event_time, account_id, aws_region, principal, event_name, outcome,
  coalesce(
    json_extract_scalar(request_parameters, '$.groupId'),
    json_extract_scalar(response_elements, '$.groupId')
  ) AS group_id,
  source_ip, request_parameters, event_id
FROM cloudtrail
WHERE event_source = 'ec2.amazonaws.com' AND regexp_like(event_name, 'SecurityGroup')
  AND coalesce(read_only, false) = false
  AND NOT regexp_like(event_name, '^(Describe|Get)')
  AND strpos(lower(concat(coalesce(request_parameters, ''), ' ', coalesce(response_elements, ''))), lower(:group)) > 0
  AND event_time >= :from AND event_time < :to
ORDER BY event_time DESC, event_id
