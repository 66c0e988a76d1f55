-- title: What did this access key do?
-- description: One row per action of the key and address, with its first and last time.
-- parameters:
--   key: { type: text, doc: "The access key id." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT event_source, event_name, outcome, aws_region, source_ip, principal, count(*) AS events,
  min(event_time) AS first_seen, max(event_time) AS last_seen
FROM cloudtrail
WHERE access_key_id = :key
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY first_seen, event_source, event_name, outcome, aws_region, source_ip, principal
