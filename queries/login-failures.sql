-- title: Where do sign-ins fail?
-- description: One row per address and user with failed sign-ins to the console.
-- parameters:
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT source_ip, account_id, user_name, error_message, count(*) AS failures, min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM cloudtrail
WHERE event_name = 'ConsoleLogin' AND outcome <> 'success'
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4
ORDER BY failures DESC, source_ip, account_id, user_name, error_message
