"""The courier delivers webhooks: queued beside what they tell of, signed, sent, retried, logged. It knows nothing of
follow-ups; `doors` is all that the rest of alerting uses of it, `app` puts it together.
"""
