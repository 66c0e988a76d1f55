-- title: Who touched this bucket?
-- description: One row per caller, action and address on the bucket.
-- parameters:
--   bucket: { type: text, doc: "The name of the bucket." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT principal, user_account_id, event_name, outcome, source_ip, count(*) AS events,
  count(DISTINCT json_extract_scalar(request_parameters, '$.key')) AS object_keys, min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM cloudtrail
WHERE event_source = 's3.amazonaws.com' AND json_extract_scalar(request_parameters, '$.bucketName') = :bucket
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4, 5
ORDER BY last_seen DESC, principal, user_account_id, event_name, outcome, source_ip
