"""Every SQL statement about webhooks. The tables lie in the schema of alerting; what their names do not say:

webhook_endpoints: `event_types` null is all; `owner_email` limits it to messages about this owner's accounts;
`first_failure_at` is since when it has only failed, on `failure_days` days; `recent` counts the last minutes as
[[half minute, successes, failures]]; the breaker is open while `breaker_opened_at` is set, its next probe goes at
`breaker_until`; until `rest_until` the receiver asked for rest; `served_at` is when deliveries were last taken for it.

webhook_secrets: encrypted; `expires_at` null marks the current one.

webhook_messages: `body` is what is signed and sent, null once purged or erased; `owner_email` is the owner of the
account, or of the endpoint that a test is for, who may read about it.

webhook_deliveries: one message to one endpoint; `sender` is the process that holds it until `lease_until`; `step`
counts the gaps of the schedule used, `attempts` the attempts begun; `trigger` and `actor` are those of the next or
current attempt; `single` allows one attempt only; `resend_by` asked for another while it was being sent.

webhook_notices: what an operator should hear of, once for each kind, subject and level (percent of a limit);
`message_id` is the message whose attempt brought it about; `announced_at` is when people were told, where it disabled
the endpoint.
"""
