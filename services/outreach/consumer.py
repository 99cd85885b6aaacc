"""Which handler serves which event."""

from collections.abc import Mapping

from services.outreach.domain.tokens import Tokens
from services.outreach.handlers.context import read_context
from services.outreach.handlers.directory import read_directory
from services.outreach.handlers.erasures import erase_stakeholders
from services.outreach.handlers.invitations import read_invitations
from services.outreach.handlers.responses import read_answers, undo_imports
from shared.clock import Clock
from shared.db.erasures import Journal
from shared.events.envelope import PlainReaders
from shared.events.response_fast_reader import plain_response
from shared.topics import (
    ACCOUNT_REMOVED,
    ACCOUNT_UPSERTED,
    CONTEXT_RECORDED,
    IMPORT_UNDONE,
    INVITATION_EVENTS,
    RESPONSE_AMENDED,
    RESPONSE_RECORDED,
    RESPONSE_WITHDRAWN,
    STAKEHOLDER_ERASED,
    STAKEHOLDER_REMOVED,
    STAKEHOLDER_UPSERTED,
)
from shared.verdicts import BatchHandler

PLAIN: PlainReaders = {RESPONSE_RECORDED: plain_response}
"""Event name -> what reads it without a model. Of a backlog nearly everything is responses."""


def handlers(journal: Journal, tokens: Tokens, clock: Clock) -> Mapping[str, BatchHandler]:
    """The table; events with the same handler are handed over together."""
    answers = read_answers(journal)
    directory = read_directory(journal, clock)
    invitations = read_invitations(journal, tokens, clock)
    return {
        RESPONSE_RECORDED: answers,
        RESPONSE_AMENDED: answers,
        RESPONSE_WITHDRAWN: answers,
        IMPORT_UNDONE: undo_imports(),
        STAKEHOLDER_ERASED: erase_stakeholders(journal, tokens, clock),
        ACCOUNT_UPSERTED: directory,
        ACCOUNT_REMOVED: directory,
        STAKEHOLDER_UPSERTED: directory,
        STAKEHOLDER_REMOVED: directory,
        **dict.fromkeys(INVITATION_EVENTS, invitations),
        CONTEXT_RECORDED: read_context(journal),
    }
