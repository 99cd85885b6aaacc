"""The courier delivers webhooks: queued in the transaction that caused them, signed, sent, retried, logged. It knows
nothing of follow-ups; `interface` is all that the rest of alerting uses of it, `app` puts it together.
"""
