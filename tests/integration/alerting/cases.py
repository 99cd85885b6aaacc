"""The events that alerting reads, complete: a test states only what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from shared.erasure import subject_by
from shared.events.context import ContextRecorded
from shared.events.directory import AccountRemoved, AccountUpserted, Contact, StakeholderRemoved, StakeholderUpserted
from shared.events.envelope import Event, EventData
from shared.events.responses import ResponseAmended, ResponseWithdrawn, StakeholderErased
from shared.events.scores import (
    AccountClassChanged,
    AccountScoreChanged,
    AccountScoreDropped,
    AccountScoreRecovered,
    AnswerPair,
    AnswerRef,
    StakeholderAnswerCorrected,
    StakeholderAnswered,
    StakeholderWentSilent,
)
from shared.ids import derived_uuid, uuid7
from shared.topics import (
    ACCOUNT_CLASS_CHANGED,
    ACCOUNT_REMOVED,
    ACCOUNT_SCORE_CHANGED,
    ACCOUNT_SCORE_DROPPED,
    ACCOUNT_SCORE_RECOVERED,
    ACCOUNT_SCORES,
    ACCOUNT_UPSERTED,
    CONTEXT_EVENTS,
    CONTEXT_RECORDED,
    DIRECTORY,
    IMPORT_UNDONE,
    INVITATION_EVENTS,
    INVITATIONS,
    RESPONSE_AMENDED,
    RESPONSE_RECORDED,
    RESPONSE_WITHDRAWN,
    RESPONSES,
    SCORE_EVENTS,
    STAKEHOLDER_ANSWER_CORRECTED,
    STAKEHOLDER_ANSWERED,
    STAKEHOLDER_ERASED,
    STAKEHOLDER_REMOVED,
    STAKEHOLDER_UPSERTED,
    STAKEHOLDER_WENT_SILENT,
    Topic,
)
from tests.support.environment import Environment
from tests.support.events import recorded

MONDAY = datetime(2026, 6, 8, 10, 0, tzinfo=UTC)
OLIVIA = "olivia@supplier.example"
TOPIC_OF: Mapping[str, Topic] = {
    RESPONSE_RECORDED: RESPONSES,
    RESPONSE_AMENDED: RESPONSES,
    RESPONSE_WITHDRAWN: RESPONSES,
    STAKEHOLDER_ERASED: RESPONSES,
    IMPORT_UNDONE: RESPONSES,
    ACCOUNT_UPSERTED: DIRECTORY,
    STAKEHOLDER_UPSERTED: DIRECTORY,
    STAKEHOLDER_REMOVED: DIRECTORY,
    STAKEHOLDER_ANSWERED: SCORE_EVENTS,
    STAKEHOLDER_ANSWER_CORRECTED: SCORE_EVENTS,
    STAKEHOLDER_WENT_SILENT: SCORE_EVENTS,
    ACCOUNT_SCORE_DROPPED: SCORE_EVENTS,
    ACCOUNT_SCORE_RECOVERED: SCORE_EVENTS,
    ACCOUNT_REMOVED: DIRECTORY,
    CONTEXT_RECORDED: CONTEXT_EVENTS,
    ACCOUNT_CLASS_CHANGED: SCORE_EVENTS,
    ACCOUNT_SCORE_CHANGED: ACCOUNT_SCORES,
    **dict.fromkeys(INVITATION_EVENTS, INVITATIONS),
}


def event(name: str, data: EventData, at: datetime = MONDAY, event_id: UUID | None = None) -> Event:
    """An event as its producer would send it."""
    account_id: str = data.account_id  # type: ignore[attr-defined]
    stakeholder_id = getattr(data, "stakeholder_id", None)
    key = f"{account_id}/{stakeholder_id}" if TOPIC_OF[name] is DIRECTORY and stakeholder_id else None
    return Event(event_id or uuid7(), name, "/tests", at, account_id, data, key)


@dataclass(frozen=True)
class Case:
    """The events of one account, whose Jane is the one who answers unless told otherwise.

    Answers are given a minute before `MONDAY`; their ids are made unique by the account.
    """

    account_id: str

    def id(self, response_id: str) -> str:
        """The whole id of a response."""
        return f"{self.account_id}-{response_id}"

    def account(self, minutes: int = 0, **fields: Any) -> Event:
        """account.upserted; Olivia owns it unless told otherwise."""
        values: dict[str, Any] = {"name": "Acme", "owner": Contact(name="Olivia Owner", email=OLIVIA)} | fields
        at = MONDAY - timedelta(days=1) + timedelta(minutes=minutes)
        event_id = uuid7()
        data = AccountUpserted(account_id=self.account_id, event_id=event_id, recorded_at=at, **values)
        return event(ACCOUNT_UPSERTED, data, at, event_id)

    def person(self, stakeholder_id: str = "jane", **fields: Any) -> Event:
        """stakeholder.upserted."""
        at = MONDAY - timedelta(days=1)
        values: dict[str, Any] = {"name": "Jane Doe", "email": "jane@acme.example", "type": "decision_maker"}
        values |= {"recorded_at": at} | fields
        event_id = uuid7()
        data = StakeholderUpserted(
            account_id=self.account_id, stakeholder_id=stakeholder_id, event_id=event_id, **values
        )
        return event(STAKEHOLDER_UPSERTED, data, at, event_id)

    def left(self, stakeholder_id: str = "jane") -> Event:
        """stakeholder.removed, before MONDAY as well."""
        at = MONDAY - timedelta(hours=1)
        event_id = uuid7()
        data = StakeholderRemoved(
            account_id=self.account_id, stakeholder_id=stakeholder_id, event_id=event_id, recorded_at=at
        )
        return event(STAKEHOLDER_REMOVED, data, at, event_id)

    def answered(self, response_id: str, score: int, at: datetime = MONDAY, **fields: Any) -> Event:
        """stakeholder.answered."""
        values: dict[str, Any] = {
            "account_id": self.account_id,
            "stakeholder_id": "jane",
            "revision": 1,
            "survey_type": "nps",
            "nps_kind": "relationship",
            "answered_at": at - timedelta(minutes=1),
            "recorded_at": at,
        } | fields
        if values["survey_type"] == "nps":
            values.setdefault("category", category(score))
        data = StakeholderAnswered(response_id=self.id(response_id), score=score, **values)
        event_id = derived_uuid(STAKEHOLDER_ANSWERED, data.response_id, str(data.revision))
        return event(STAKEHOLDER_ANSWERED, data, at, event_id)

    def fell(self, response_id: str, before: int, score: int, at: datetime = MONDAY, **fields: Any) -> Event:
        """An answer with the one before it and the change between them."""
        change = f"{category(before)}_to_{category(score)}"
        previous = self.ref(f"{response_id}-before", before, at - timedelta(days=1))
        return self.answered(response_id, score, at, previous=previous, change=change, **fields)

    def ref(self, response_id: str, score: int, at: datetime = MONDAY) -> AnswerRef:
        """An answer of a pair."""
        return AnswerRef(
            response_id=self.id(response_id), answered_at=at, score=score, category=cast(Any, category(score))
        )

    def corrected(self, response_id: str, old: AnswerPair, new: AnswerPair, cause: str, **fields: Any) -> Event:
        """stakeholder.answer_corrected, ten minutes later."""
        at = MONDAY + timedelta(minutes=10)
        values: dict[str, Any] = {
            "account_id": self.account_id,
            "stakeholder_id": "jane",
            "survey_type": "nps",
            "nps_kind": "relationship",
            "recorded_at": at,
        } | fields
        data = StakeholderAnswerCorrected(
            response_id=self.id(response_id), old=old, new=new, cause=cast(Any, cause), **values
        )
        return event(STAKEHOLDER_ANSWER_CORRECTED, data, at)

    def silent(self, days: int = 21, **fields: Any) -> Event:
        """stakeholder.went_silent."""
        values: dict[str, Any] = {"stakeholder_id": "jane", "invitation_id": "i1", "furthest": "sent"} | fields
        asked_at = MONDAY - timedelta(days=days)
        data = StakeholderWentSilent(account_id=self.account_id, asked_at=asked_at, days=days, at=MONDAY, **values)
        return event(STAKEHOLDER_WENT_SILENT, data)

    def scored(self, sequence: int, nps: float | None, account_class: str = "steady", *, quiet: bool = False) -> Event:
        """account_score.changed, with one figure that matters."""
        figures = {"90d": {"latest": {"nps": nps, "response_count": 7}, "all": {"nps": nps, "response_count": 9}}}
        data = AccountScoreChanged(
            account_id=self.account_id,
            sequence=sequence,
            computed_at=MONDAY,
            account_class=cast(Any, account_class),
            figures=cast(Any, figures),
            quiet=quiet,
        )
        return event(ACCOUNT_SCORE_CHANGED, data)

    def dropped(self, nps: float, previous: float) -> Event:
        """account_score.dropped."""
        data = AccountScoreDropped(
            account_id=self.account_id,
            sequence=1,
            window="90d",
            method="latest",
            nps=nps,
            previous_nps=previous,
            change=nps - previous,
            response_count=6,
            previous_response_count=7,
            at=MONDAY,
        )
        return event(ACCOUNT_SCORE_DROPPED, data)

    def recovered(self, sequence: int = 2, *, quiet: bool = False) -> Event:
        """account_score.recovered."""
        data = AccountScoreRecovered(
            account_id=self.account_id, sequence=sequence, window="90d", method="latest", at=MONDAY, quiet=quiet
        )
        return event(ACCOUNT_SCORE_RECOVERED, data)

    def turned(self, old: str, new: str, sequence: int = 9, days: float = 0) -> Event:
        """account_class.changed."""
        at = MONDAY + timedelta(days=days)
        data = AccountClassChanged(
            account_id=self.account_id, sequence=sequence, old=cast(Any, old), new=cast(Any, new), numbers={}, at=at
        )
        return event(ACCOUNT_CLASS_CHANGED, data, at)

    def decided(self, kind: str = "contract_renewed", days: float = 0) -> Event:
        """context.recorded of a contract."""
        at, event_id = MONDAY + timedelta(days=days), uuid7()
        data = ContextRecorded(
            event_id=event_id, account_id=self.account_id, kind=cast(Any, kind), at=at, recorded_at=MONDAY
        )
        return event(CONTEXT_RECORDED, data, at, event_id)

    def removed(self) -> Event:
        """account.removed, a day after it was entered."""
        event_id = uuid7()
        data = AccountRemoved(account_id=self.account_id, name="Acme", event_id=event_id, recorded_at=MONDAY)
        return event(ACCOUNT_REMOVED, data, MONDAY, event_id)

    def response(self, response_id: str, score: int = 2, **fields: Any) -> Event:
        """response.recorded."""
        values: dict[str, Any] = {"stakeholder_id": "jane", "answered_at": MONDAY, "recorded_at": MONDAY} | fields
        return recorded(self.id(response_id), self.account_id, score=score, **values)

    def amended(self, response_id: str, minutes: int = 1, posted: str | None = None, **changes: Any) -> Event:
        """response.amended, so many minutes after the answer."""
        at = MONDAY + timedelta(minutes=minutes)
        event_id = uuid7()
        data = ResponseAmended(
            event_id=event_id,
            response_id=self.id(response_id),
            account_id=self.account_id,
            changes=changes,
            recorded_at=at,
            posted=posted,
        )
        return event(RESPONSE_AMENDED, data, at, event_id)

    def withdrawn(self, response_id: str) -> Event:
        """response.withdrawn."""
        at = MONDAY + timedelta(minutes=2)
        event_id = uuid7()
        data = ResponseWithdrawn(
            event_id=event_id, response_id=self.id(response_id), account_id=self.account_id, recorded_at=at
        )
        return event(RESPONSE_WITHDRAWN, data, at, event_id)

    def erased(self, environment: Environment, stakeholder_id: str = "jane", hours: int = 1) -> Event:
        """stakeholder.erased, so many hours later."""
        subject = subject_by(environment.common.secret_key.get_secret_value())
        erased_at = MONDAY + timedelta(hours=hours)
        data = StakeholderErased(
            receipt_id=uuid7(),
            account_id=self.account_id,
            stakeholder_id=stakeholder_id,
            subject=subject(self.account_id, stakeholder_id),
            erased_at=erased_at,
        )
        return event(STAKEHOLDER_ERASED, data, erased_at)


def pair(latest: AnswerRef | None, previous: AnswerRef | None = None, change: str | None = None) -> AnswerPair:
    """The latest answer and the one before."""
    return AnswerPair(latest=latest, previous=previous, change=cast(Any, change))


def category(score: int) -> str:
    """promoter, passive or detractor."""
    return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
