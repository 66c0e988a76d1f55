-- title: Which principals are new this week?
-- description: One row per principal whose first event of the store lies in the last days.
-- parameters:
--   days: { type: integer, default: 7, doc: "How many days count as new." }
--   until: { type: time, default: newest, doc: "End of these days; newest means the newest event of the store." }
SELECT account_id, principal, actor_type, min(event_time) AS first_seen, max(event_time) AS last_seen,
  count(*) AS events,
  count(DISTINCT event_name) AS distinct_actions, min(source_ip) AS an_address
FROM cloudtrail
WHERE event_time < :until
GROUP BY 1, 2, 3
HAVING min(event_time) >= date_add('day', 0 - :days, :until)
ORDER BY first_seen, account_id, principal, actor_type
