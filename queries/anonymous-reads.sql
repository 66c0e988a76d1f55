-- title: What was read without credentials?
-- description: One row per bucket and key in the access logs that an unauthenticated request got, most requests first.
-- parameters:
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT bucket, key, count(*) AS requests, sum(bytes_sent) AS bytes, count(DISTINCT remote_ip) AS addresses, min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM s3_access
WHERE event_time >= :from AND event_time < :to AND is_anonymous AND outcome = 'success' AND method = 'GET'
GROUP BY bucket, key
ORDER BY requests DESC, bucket, key
