-- title: What did this address ask for, and what did AWS WAF do?
-- description: One row per request, newest first.
-- parameters:
--   address: { type: text, doc: "The client address." }
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
SELECT event_time, web_acl_name, action, terminating_rule_id, array_join(matched_rules, ', ') AS matched_rules, http_method, host, uri,
  args, user_agent, country, ja4_fingerprint, request_id
FROM waf
WHERE event_time >= :from AND event_time < :to AND client_ip = :address
ORDER BY event_time DESC, request_id
