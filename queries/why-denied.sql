-- title: Why was this principal refused?
-- description: One row per action and reason, the most frequent first.
-- parameters:
--   principal: { type: text, default: '', doc: "Part of the principal; empty for all." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT principal, event_source, event_name, error_code, error_message, count(*) AS events,
  min(event_time) AS first_seen, max(event_time) AS last_seen
FROM cloudtrail
WHERE outcome = 'denied' AND strpos(lower(principal), lower(:principal)) > 0
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4, 5
ORDER BY events DESC, principal, event_source, event_name, error_code, error_message
