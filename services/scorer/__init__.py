"""Folds responses into rolling NPS per account and stakeholder; the system of record for answers and figures."""

from shared.topics import ACCOUNT_SCORES, CONTEXT_EVENTS, DIRECTORY, INVITATIONS, RESPONSES, SCORE_EVENTS

READS = (RESPONSES, DIRECTORY, INVITATIONS, CONTEXT_EVENTS)
EMITS = (ACCOUNT_SCORES, SCORE_EVENTS)
SERVES = "the scorer API"
OWNS = "responses and all figures"
SCHEMA = "scorer"
