"""Which handler serves which event, and what is read without a model: literal tables."""

from collections.abc import Mapping

from services.scorer.handlers.facts import Facts
from services.scorer.handlers.responses import ResponseFold
from services.scorer.handlers.undoing import Undoing
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


def handlers(responses: ResponseFold, undoing: Undoing, facts: Facts) -> Mapping[str, BatchHandler]:
    """Event name -> batch handler. What shares a handler is handed over together, whatever its order."""
    return {
        RESPONSE_RECORDED: responses.apply,
        RESPONSE_AMENDED: responses.apply,
        RESPONSE_WITHDRAWN: responses.apply,
        STAKEHOLDER_ERASED: responses.apply,
        IMPORT_UNDONE: undoing.apply,
        ACCOUNT_UPSERTED: facts.described,
        ACCOUNT_REMOVED: facts.described,
        STAKEHOLDER_UPSERTED: facts.described,
        STAKEHOLDER_REMOVED: facts.described,
        CONTEXT_RECORDED: facts.happened,
        **dict.fromkeys(INVITATION_EVENTS, facts.invited),
    }
