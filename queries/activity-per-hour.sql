-- title: How busy was each hour?
-- description: One row per hour with events, with its calls, refusals and callers.
-- parameters:
--   principal: { type: text, default: '', doc: "Part of the principal; empty for all." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT date_trunc('hour', event_time) AS hour_start, count(*) AS events, count_if(outcome = 'denied') AS denied,
  count_if(outcome = 'failed') AS failed,
  count_if(coalesce(read_only, false) = false) AS writes, count(DISTINCT principal) AS principals,
  count(DISTINCT source_ip) AS addresses
FROM cloudtrail
WHERE strpos(lower(principal), lower(:principal)) > 0
  AND event_time >= :from AND event_time < :to
GROUP BY 1
ORDER BY hour_start
