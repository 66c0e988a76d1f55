-- title: How much is read from and written to each bucket?
-- description: One row per bucket, action and result of the data events on objects.
-- parameters:
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT account_id, json_extract_scalar(request_parameters, '$.bucketName') AS bucket, event_name, outcome,
  count(*) AS events,
  count(DISTINCT principal) AS principals,
  sum(TRY_CAST(json_extract_scalar(additional_event_data, '$.bytesTransferredOut') AS DOUBLE)) AS bytes_out,
  sum(TRY_CAST(json_extract_scalar(additional_event_data, '$.bytesTransferredIn') AS DOUBLE)) AS bytes_in,
  min(event_time) AS first_seen, max(event_time) AS last_seen
FROM cloudtrail
WHERE event_source = 's3.amazonaws.com' AND (event_category = 'Data' OR management_event = false)
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4
ORDER BY events DESC, account_id, bucket, event_name, outcome
