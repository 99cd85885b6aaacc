"""Which handler serves which event."""

from collections.abc import Mapping

from services.alerting.handlers.account_scores import record_account_scores
from services.alerting.handlers.contracts import record_contracts
from services.alerting.handlers.directory import record_directory
from services.alerting.handlers.erasures import erase_stakeholders
from services.alerting.handlers.invitations import record_invitations
from services.alerting.handlers.recording import Recorder, record_and_evaluate
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.responses import record_responses
from services.alerting.handlers.score_events import record_score_events
from services.alerting.handlers.undoing import undo_imports
from shared.events.envelope import PlainReaders
from shared.events.response_fast_reader import plain_response
from shared.topics import (
    ACCOUNT_CLASS_CHANGED,
    ACCOUNT_REMOVED,
    ACCOUNT_SCORE_CHANGED,
    ACCOUNT_SCORE_DROPPED,
    ACCOUNT_SCORE_RECOVERED,
    ACCOUNT_UPSERTED,
    CONTEXT_RECORDED,
    IMPORT_UNDONE,
    INVITATION_EVENTS,
    RESPONSE_AMENDED,
    RESPONSE_RECORDED,
    RESPONSE_WITHDRAWN,
    STAKEHOLDER_ANSWER_CORRECTED,
    STAKEHOLDER_ANSWERED,
    STAKEHOLDER_ERASED,
    STAKEHOLDER_REMOVED,
    STAKEHOLDER_UPSERTED,
    STAKEHOLDER_WENT_SILENT,
)
from shared.verdicts import BatchHandler

PLAIN: PlainReaders = {RESPONSE_RECORDED: plain_response}
"""Event name -> what reads it without a model. Of a backlog nearly everything is responses."""


def handlers(resources: Resources) -> Mapping[str, BatchHandler]:
    """The table. All but erasures are handed over together, so that the rules are evaluated once a poll."""
    recorders = _recorders(resources)
    together = dict.fromkeys(recorders, record_and_evaluate(resources, recorders))
    return {**together, STAKEHOLDER_ERASED: erase_stakeholders(resources)}


def _recorders(resources: Resources) -> Mapping[str, Recorder]:
    """Which recorder writes the facts of which event."""
    score_events = record_score_events(resources)
    responses = record_responses(resources)
    directory = record_directory(resources)
    invitations = record_invitations(resources)
    return {
        STAKEHOLDER_ANSWERED: score_events,
        STAKEHOLDER_ANSWER_CORRECTED: score_events,
        ACCOUNT_SCORE_DROPPED: score_events,
        ACCOUNT_SCORE_RECOVERED: score_events,
        ACCOUNT_CLASS_CHANGED: score_events,
        STAKEHOLDER_WENT_SILENT: score_events,
        ACCOUNT_SCORE_CHANGED: record_account_scores,
        RESPONSE_RECORDED: responses,
        RESPONSE_AMENDED: responses,
        RESPONSE_WITHDRAWN: responses,
        IMPORT_UNDONE: undo_imports(resources),
        ACCOUNT_UPSERTED: directory,
        ACCOUNT_REMOVED: directory,
        STAKEHOLDER_UPSERTED: directory,
        STAKEHOLDER_REMOVED: directory,
        **dict.fromkeys(INVITATION_EVENTS, invitations),
        CONTEXT_RECORDED: record_contracts,
    }
