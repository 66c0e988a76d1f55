-- title: Who is refused most?
-- description: One row per principal with refused calls, the most refused first.
-- parameters:
--   top: { type: integer, default: 50, doc: "How many principals to show." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT account_id, principal, count(*) AS calls, count_if(outcome = 'denied') AS denied,
  count(DISTINCT CASE WHEN outcome = 'denied' THEN event_name END) AS distinct_denied_actions,
  min(CASE WHEN outcome = 'denied' THEN event_time END) AS first_denied,
  max(CASE WHEN outcome = 'denied' THEN event_time END) AS last_denied
FROM cloudtrail
WHERE event_time >= :from AND event_time < :to
GROUP BY 1, 2
HAVING count_if(outcome = 'denied') > 0
ORDER BY denied DESC, account_id, principal
LIMIT :top
