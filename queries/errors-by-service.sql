-- title: Which errors does each service return?
-- description: One row per service and error, the most frequent first.
-- parameters:
--   service: { type: text, default: '', doc: "Part of the event source, for example s3; empty for all." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT event_source, coalesce(error_code, 'without a code') AS error, outcome, count(*) AS events,
  count(DISTINCT principal) AS principals,
  count(DISTINCT event_name) AS actions, max(error_message) AS a_message, max(event_time) AS last_seen
FROM cloudtrail
WHERE outcome <> 'success' AND strpos(event_source, lower(:service)) > 0
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3
ORDER BY events DESC, event_source, error, outcome
