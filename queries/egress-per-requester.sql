-- title: How much did each requester download?
-- description: One row per requester, bucket and day in the access logs, most bytes first.
-- parameters:
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT date_trunc('day', event_time) AS day, bucket, principal, sum(bytes_sent) AS bytes, count(DISTINCT key) AS objects, count(*) AS requests,
  count(DISTINCT remote_ip) AS addresses
FROM s3_access
WHERE event_time >= :from AND event_time < :to AND method = 'GET' AND outcome = 'success'
GROUP BY 1, 2, 3
ORDER BY bytes DESC, day, bucket, principal
