-- title: What changed in IAM?
-- description: One row per change of users, roles, keys and policies, newest first.
-- parameters:
--   name: { type: text, default: '', doc: "Part of the name of the user, role, group or policy; empty for all." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT event_time, account_id, principal, session_name, event_name, outcome, error_code, source_ip,
  request_parameters, event_id
FROM cloudtrail
WHERE event_source IN (
    'iam.amazonaws.com', 'sso.amazonaws.com', 'sso-directory.amazonaws.com', 'identitystore.amazonaws.com'
  )
  AND coalesce(read_only, false) = false
  AND NOT regexp_like(event_name, '^(Get|List|Simulate|Generate|Describe|Search)')
  AND strpos(lower(coalesce(request_parameters, '')), lower(:name)) > 0
  AND event_time >= :from AND event_time < :to
ORDER BY event_time DESC, event_id
