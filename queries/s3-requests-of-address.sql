-- title: What did this address ask S3 for?
-- description: One row per bucket, requester, operation and result in the access logs, in order of the first request.
-- parameters:
--   address: { type: text, doc: "An address, or a network such as 203.0.113.0/24." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT remote_ip, bucket, principal, operation, outcome, error_code, count(*) AS requests, count(DISTINCT key) AS object_keys,
  min(key) AS a_key, sum(bytes_sent) AS bytes, min(user_agent) AS a_user_agent, min(event_time) AS first_seen, max(event_time) AS last_seen
FROM s3_access
WHERE (remote_ip = :address OR coalesce(cidr_match(:address, source_ip), false))
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY first_seen, remote_ip, bucket, principal, operation, outcome, error_code
