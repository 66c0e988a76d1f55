-- title: Who signed in to the console without MFA?
-- description: One row per user and address with a successful sign-in without MFA.
-- parameters:
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT account_id, principal, user_type, source_ip, count(*) AS logins, min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM cloudtrail
WHERE event_name = 'ConsoleLogin' AND outcome = 'success' AND user_type IN ('IAMUser', 'Root')
  AND coalesce(json_extract_scalar(additional_event_data, '$.MFAUsed'), 'No') <> 'Yes'
  AND event_time >= :from AND event_time < :to
GROUP BY 1, 2, 3, 4
ORDER BY last_seen DESC, account_id, principal, user_type, source_ip
