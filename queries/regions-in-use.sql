-- title: Which regions are in use?
-- description: One row per account and region, with who changes things there.
-- parameters:
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT account_id, aws_region, count(*) AS events, count_if(coalesce(read_only, false) = false) AS writes,
  count(DISTINCT principal) AS principals,
  count(DISTINCT event_source) AS services, min(event_time) AS first_seen, max(event_time) AS last_seen
FROM cloudtrail
WHERE event_time >= :from AND event_time < :to
GROUP BY 1, 2
ORDER BY account_id, events DESC, aws_region
