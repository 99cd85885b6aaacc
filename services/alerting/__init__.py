"""Alerting: turns changes of scores into follow-up tasks and tells the CRM by signed webhooks."""

from shared.topics import ACCOUNT_SCORES, CONTEXT_EVENTS, DIRECTORY, FOLLOW_UPS, INVITATIONS, RESPONSES, SCORE_EVENTS

READS = (SCORE_EVENTS, ACCOUNT_SCORES, DIRECTORY, INVITATIONS, CONTEXT_EVENTS, RESPONSES)
EMITS = (FOLLOW_UPS,)
SERVES = "the follow-up API; rules, webhook endpoints and deliveries"
OWNS = "rules, tasks, endpoints, deliveries"
SCHEMA = "alerting"
