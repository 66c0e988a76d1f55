-- title: What exactly is this event?
-- description: One row per event with this id, with all that AWS wrote of it.
-- parameters:
--   id: { type: text, doc: "The event id." }
SELECT event_time, account_id, aws_region, event_source, event_name, outcome, error_code, error_message, user_type,
  principal, session_name, user_arn,
  access_key_id, invoked_by, mfa, source_address, user_agent, request_parameters, response_elements,
  additional_event_data, resources, event_id
FROM cloudtrail
WHERE event_id = :id
ORDER BY event_time, event_source
