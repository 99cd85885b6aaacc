"""Outreach: brings questions to people by personal links, takes their answers on a page, and tells the collector."""

from shared.topics import CONTEXT_EVENTS, DIRECTORY, INVITATIONS, RESPONSES

READS = (RESPONSES, DIRECTORY, INVITATIONS, CONTEXT_EVENTS)
EMITS = ()
SERVES = "surveys, links, asks and business reviews; the pages of respondents"
OWNS = "surveys, asks, what the collector is to be told, objections, business reviews"
SCHEMA = "outreach"
