-- title: Which programs call?
-- description: One row per user agent, the most frequent first.
-- parameters:
--   top: { type: integer, default: 50, doc: "How many user agents to show." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT user_agent, count(*) AS events, count(DISTINCT principal) AS principals,
  count(DISTINCT source_ip) AS addresses, min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM cloudtrail
WHERE event_time >= :from AND event_time < :to
GROUP BY 1
ORDER BY events DESC, user_agent
LIMIT :top
