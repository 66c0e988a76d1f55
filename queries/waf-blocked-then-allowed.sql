-- title: Which addresses were blocked by AWS WAF and then allowed?
-- description: One row per address and web ACL, with what it was blocked on before its first request that passed afterwards.
-- parameters:
--   from: { type: time, default: 1970-01-01, doc: "Start of the window." }
--   to: { type: time, default: newest, doc: "End of the window, exclusive; newest means just after the newest event." }
WITH blocked AS (
  SELECT web_acl_id, source_ip, min(event_time) AS first_blocked, count(*) AS blocks, min(uri) AS a_uri
  FROM waf
  WHERE event_time >= :from AND event_time < :to AND action = 'BLOCK' AND source_ip IS NOT NULL
  GROUP BY web_acl_id, source_ip
)
SELECT b.source_ip, min(w.web_acl_name) AS web_acl_name, b.first_blocked, b.blocks, b.a_uri AS blocked_uri,
  min(w.event_time) AS first_allowed, count(*) AS allowed, min(w.uri) AS allowed_uri
FROM blocked AS b
JOIN waf AS w ON w.web_acl_id = b.web_acl_id AND w.source_ip = b.source_ip
WHERE w.event_time >= b.first_blocked AND w.event_time < :to AND w.action = 'ALLOW'
GROUP BY b.source_ip, b.web_acl_id, b.first_blocked, b.blocks, b.a_uri
ORDER BY blocks DESC, source_ip, b.web_acl_id
