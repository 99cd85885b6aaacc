"""What people send from the page: each form is one revision of one answer.

The score is told to the collector at once, by a body that is never changed. What follows is told by one amendment with
the whole state, when the person has finished or has not gone on for a while.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from services.outreach.domain.answering import (
    Answers,
    Asked,
    amendment_body,
    answers_document,
    answers_from,
    further_questions,
    response_body,
)
from services.outreach.domain.asks import response_id_of
from services.outreach.domain.forms import Fields, read_form
from services.outreach.domain.surveys import Question, Survey
from services.outreach.handlers.facts import invitation_call
from services.outreach.handlers.versions import Versions
from services.outreach.store import answers as store
from services.outreach.store.answers import OpenAsk
from services.outreach.store.outgoing import OutgoingCall, queue
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import TooMany

CHANGES_FOR: Final = timedelta(days=30)
"""How long an answer may be changed after it was given first."""
REST: Final = timedelta(seconds=20)
"""Without a further step for so long, what was added is told."""
MOST_REVISIONS: Final = 20
AT_ONCE: Final = 100
KNOWN_BY: Final = 200
"""Of how many answers of an account it is counted what is known of it."""

Standing = Literal["open", "withdrawn", "expired", "closed"]


class NotOpen(Exception):
    """A link that takes no answer; `standing` says why."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing)
        self.standing = standing


@dataclass(frozen=True, slots=True)
class Opening:
    """What the page shows of one ask: the survey, what was answered before, and the further questions to show."""

    ask: OpenAsk
    survey: Survey
    answers: Answers | None
    further: tuple[Question, ...]

    @property
    def changeable_until(self) -> datetime | None:
        """Until when the page takes changes; None before the link was handed over."""
        return _last_moment(self.ask)


@dataclass(frozen=True, slots=True)
class Taken:
    """What somebody has answered so far, the form just stored included."""

    survey: Survey
    answers: Answers


def standing_of(ask: OpenAsk, now: datetime) -> Standing:
    """Whether the page takes answers. `closed`: the answer is too old to be changed, or there is none any more."""
    if ask.state not in ("sent", "waiting") or ask.withdrawn_at is not None:
        return "withdrawn"
    last = _last_moment(ask)
    if ask.expired_at is None and (last is None or now < last):
        return "open"
    if ask.answered_at is not None:
        return "closed"
    return "expired"


def _last_moment(ask: OpenAsk) -> datetime | None:
    if ask.closes_at is None or ask.answered_at is None:
        return ask.closes_at
    return min(ask.closes_at, ask.answered_at + CHANGES_FOR)


async def opening(tx: ReadTx, versions: Versions, ask_id: UUID, now: datetime) -> Opening:
    """What the page shows. Raises `NotOpen`."""
    found = await store.find_ask_and_known(tx, ask_id, KNOWN_BY)
    if found is None:
        raise NotOpen("closed")
    ask, known = found
    await _require_open(tx, ask, now)
    survey = await versions.get(tx, ask.survey_id, ask.survey_version)
    return Opening(ask, survey, _answers_of(ask), further_questions(survey, _knowledge(survey, known)))


async def take(tx: WriteTx, versions: Versions, ask_id: UUID, fields: Fields, now: datetime) -> Taken:
    """Store one form, and queue what is to be told of it.

    Raises `NotOpen`, `Faulty` for a form that does not fit the survey, `TooMany` after `MOST_REVISIONS` forms.
    """
    ask = await store.lock_ask(tx, ask_id)
    if ask is None:
        raise NotOpen("closed")
    await _require_open(tx, ask, now)
    survey = await versions.get(tx, ask.survey_id, ask.survey_version)
    before = _answers_of(ask)
    language = survey.language_for([_language_in(fields), ask.language, ask.person_language])
    answers = read_form(survey, fields, language, before)
    if ask.revision >= MOST_REVISIONS:
        raise TooMany("too_many_revisions", "the answer was changed too often")
    calls: list[OutgoingCall] = []
    if before is None:
        if ask.state == "waiting":
            await store.note_sent(tx, ask.ask_id, now)
        ask = _begun(ask, now)
        calls = _first_calls(ask, survey, answers, now)
    elif amendment_body(_asked(ask), survey, answers) != amendment_body(_asked(ask), survey, before):
        ask = replace(ask, answer_due_at=now + REST)
    ask = replace(ask, revision=ask.revision + 1, answer=answers_document(answers))
    if answers.finished:
        ask = replace(ask, finished_at=ask.finished_at or now)
        if ask.answer_due_at is not None:
            calls.append(_amendment(ask, survey, answers, now))
            ask = replace(ask, answer_due_at=None)
    await store.save_answer(tx, ask)
    await queue(tx, now, *calls)
    return Taken(survey, answers)


async def tell_rested(tx: WriteTx, versions: Versions, now: datetime) -> int:
    """Queue the amendments of answers to which nothing was added for a while; returns how many there were."""
    asks = await store.lock_due(tx, now, AT_ONCE)
    calls: list[OutgoingCall] = []
    for ask in asks:
        survey = await versions.get(tx, ask.survey_id, ask.survey_version)
        if ask.answer is not None:
            calls.append(_amendment(ask, survey, answers_from(ask.answer), now))
    await queue(tx, now, *calls)
    await store.answer_told(tx, [ask.ask_id for ask in asks])
    return len(asks)


def fact(ask: OpenAsk, kind: str, at: datetime, **more: str) -> OutgoingCall:
    """The call that tells of something that happened to an ask."""
    person = {"account_id": ask.account_id, "stakeholder_id": ask.stakeholder_id}
    return invitation_call(ask.ask_id, person, kind, at, survey_id=ask.survey_id, channel=ask.channel, **more)


async def _require_open(tx: ReadTx, ask: OpenAsk, now: datetime) -> None:
    """Raises `NotOpen` unless the link takes answers; it takes none once the answer was withdrawn."""
    standing = standing_of(ask, now)
    if standing != "open":
        raise NotOpen(standing)
    if ask.answered_at is not None and await store.is_withdrawn(tx, ask.account_id, response_id_of(ask.ask_id)):
        raise NotOpen("closed")


def _answers_of(ask: OpenAsk) -> Answers | None:
    if ask.answer is None:
        return None
    return answers_from(ask.answer)


def _knowledge(survey: Survey, known: Mapping[str, int]) -> dict[str, int]:
    """Attribute -> how many answers of the account rate it, of question -> how many answer it."""
    found: dict[str, int] = {}
    for question in survey.questions:
        attribute = question.attribute or question.question_id
        found[attribute] = found.get(attribute, 0) + known.get(question.question_id, 0)
    return found


def _begun(ask: OpenAsk, now: datetime) -> OpenAsk:
    """The ask after its first form. A link that a mailer was to hand over has been handed over, evidently."""
    if ask.state == "waiting":
        ask = replace(ask, state="sent", sent_at=now, closes_at=now + timedelta(days=ask.open_days))
    return replace(ask, started_at=ask.started_at or now, answered_at=now)


def _first_calls(ask: OpenAsk, survey: Survey, answers: Answers, now: datetime) -> list[OutgoingCall]:
    """What is told of a first form: that the person has started, and the answer."""
    body = response_body(_asked(ask), survey, answers, now)
    answer = _call(ask, f"{ask.ask_id}:0", "POST", "/v1/responses", body, now)
    if ask.test:
        return [answer]
    return [fact(ask, "started", now), answer]


def _amendment(ask: OpenAsk, survey: Survey, answers: Answers, now: datetime) -> OutgoingCall:
    asked = _asked(ask)
    path = f"/v1/responses/{asked.response_id}"
    body = amendment_body(asked, survey, answers)
    return _call(ask, f"{ask.ask_id}:{ask.revision}", "PATCH", path, body, now)


def _call(
    ask: OpenAsk, key: str, method: Literal["POST", "PATCH"], path: str, body: Mapping[str, Any], due_at: datetime
) -> OutgoingCall:
    return OutgoingCall(
        key=key,
        service="collector",
        method=method,
        path=path,
        body=body,
        account_id=ask.account_id,
        due_at=due_at,
        stakeholder_id=ask.stakeholder_id,
        ask_id=ask.ask_id,
    )


def _asked(ask: OpenAsk) -> Asked:
    return Asked(
        response_id=response_id_of(ask.ask_id),
        invitation_id=str(ask.ask_id),
        account_id=ask.account_id,
        stakeholder_id=ask.stakeholder_id,
        survey_id=ask.survey_id,
        survey_version=ask.survey_version,
        channel=ask.channel,
        test=ask.test,
    )


def _language_in(fields: Fields) -> str | None:
    """The language in which the form was shown."""
    for name, value in fields:
        if name == "lang":
            return value
    return None
