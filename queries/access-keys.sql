-- title: When was each access key used first and last?
-- description: One row per long-lived access key, the longest unused first.
-- parameters:
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT access_key_id, account_id, principal, count(*) AS events, count_if(outcome = 'denied') AS denied,
  count(DISTINCT source_ip) AS addresses,
  count(DISTINCT aws_region) AS regions, min(event_time) AS first_seen, max(event_time) AS last_seen
FROM cloudtrail
WHERE starts_with(access_key_id, 'AKIA')
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3
ORDER BY last_seen, access_key_id, account_id, principal
