"""Outreach: brings questions to people by personal links, takes their answers on a page, and tells the collector."""

from shared.topics import DIRECTORY

READS = (DIRECTORY,)
EMITS = ()
SERVES = "surveys, links, asks and business reviews; the pages of respondents"
OWNS = "surveys, asks, what the collector is to be told, objections, business reviews"
SCHEMA = "outreach"
