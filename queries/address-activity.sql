-- title: What came from this address?
-- description: One row per principal, key and action that came from the address or network.
-- parameters:
--   address: { type: text, doc: "An address, or a network such as 203.0.113.0/24." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT source_ip, account_id, principal, access_key_id, event_source, event_name, outcome, count(*) AS events,
  min(event_time) AS first_seen, max(event_time) AS last_seen
FROM cloudtrail
WHERE (source_ip = :address OR coalesce(cidr_match(:address, source_ip), false))
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY first_seen, source_ip, account_id, principal, access_key_id, event_source, event_name, outcome
