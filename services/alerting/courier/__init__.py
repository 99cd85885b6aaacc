"""Delivers webhooks: queued beside what they tell of, signed, sent, retried, logged."""
