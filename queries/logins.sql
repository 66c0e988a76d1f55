-- title: Who logged in, and from where?
-- description: One row per principal, address and result of a sign-in to the console.
-- parameters:
--   principal: { type: text, default: '', doc: "Part of the principal; empty for all." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT account_id, principal, user_type, user_name, source_ip, outcome,
  json_extract_scalar(additional_event_data, '$.MFAUsed') AS mfa_used,
  count(*) AS logins, min(event_time) AS first_seen, max(event_time) AS last_seen, max(user_agent) AS user_agent
FROM cloudtrail
WHERE event_name = 'ConsoleLogin'
  AND strpos(lower(concat(principal, ' ', coalesce(user_name, ''))), lower(:principal)) > 0
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY last_seen DESC, account_id, principal, user_type, user_name, source_ip, outcome, mfa_used
