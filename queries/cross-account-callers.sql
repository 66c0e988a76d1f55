-- title: Which other accounts call into ours?
-- description: One row per foreign caller and account, with what it did.
-- parameters:
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT account_id, user_account_id, principal, count(*) AS events, count_if(outcome = 'denied') AS denied,
  count(DISTINCT event_name) AS actions,
  array_join(array_agg(DISTINCT event_source ORDER BY event_source), ', ') AS services, min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM cloudtrail
WHERE user_account_id <> account_id
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3
ORDER BY events DESC, account_id, user_account_id, principal
