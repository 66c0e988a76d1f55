-- title: Who asked for this object?
-- description: One row per request in the access logs of the bucket, newest first; keys stand there URL-encoded.
-- parameters:
--   key: { type: text, doc: "Part of the key." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT event_time, bucket, key, operation, principal, session_name, is_anonymous, outcome, http_status, error_code, bytes_sent,
  remote_ip, user_agent, request_id
FROM s3_access
WHERE event_time >= :from AND event_time < :to AND strpos(lower(key), lower(:key)) > 0
ORDER BY event_time DESC, request_id
