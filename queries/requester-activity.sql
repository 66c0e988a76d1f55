-- title: What did this requester do in S3?
-- description: One row per bucket, operation, result, address and day in the access logs, in order of the first request.
-- parameters:
--   requester: { type: text, doc: "Part of the principal, such as the name of a role, or an account id." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT date_trunc('day', event_time) AS day, principal, bucket, operation, outcome, error_code, remote_ip, count(*) AS requests,
  count(DISTINCT key) AS object_keys, min(key) AS a_key, sum(bytes_sent) AS bytes, min(user_agent) AS a_user_agent,
  min(event_time) AS first_seen, max(event_time) AS last_seen
FROM s3_access
WHERE strpos(lower(principal), lower(:requester)) > 0 AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY first_seen, principal, bucket, operation, outcome, error_code, remote_ip
