"""Links: for each person one ask, or the reason why there is none."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from services.outreach.domain.asks import WAITS, NewAsk, PublishedSurvey
from services.outreach.domain.eligibility import Candidate, Refusal, refusal_of
from services.outreach.domain.tokens import Purpose, Tokens
from services.outreach.handlers.candidates import Known, Named, known_people, persons_of, unseen_people
from services.outreach.handlers.facts import invitation_call
from services.outreach.store import asks, contacts, readings
from services.outreach.store.outgoing import queue
from services.outreach.store.people import Chosen, PersonKey
from shared.access.caller import Caller
from shared.db.erasures import Journal
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict, NotFound, Unavailable
from shared.ids import derived_uuid


@dataclass(frozen=True, slots=True)
class WantedLinks:
    """Links to a survey, for the `named` people or those of a filter. `overriding` is why it shall not matter when
    they were asked or answered last. The same `idempotency_key` of the same API key gives the same links."""

    survey_id: str
    caller: Caller
    named: tuple[Named, ...] | None = None
    chosen: Chosen | None = None
    handed_over: bool = True
    overriding: str | None = None
    language: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class MadeLink:
    """What became of one person: an ask with a link, or with the problem that forbids one. Somebody whom the caller may
    not know of has no ask. `closes_at` is None before the link is handed over."""

    candidate: Candidate
    ask_id: UUID | None
    language: str | None
    closes_at: datetime | None
    problem: Refusal | None


async def require_read(tx: ReadTx) -> None:
    """Raises `Unavailable` until it is known whom others have asked and who objected."""
    if not await readings.is_done(tx):
        raise Unavailable(
            "reading_behind",
            "whom others have asked is not known yet: it is read from the scorer once; see that the scorer runs, and"
            " try again",
            retry_after=10,
        )


async def make_links(
    tx: WriteTx, wanted: WantedLinks, tokens: Tokens, journal: Journal, now: datetime
) -> tuple[PublishedSurvey, list[MadeLink]]:
    """Make an ask for each person, in their order; what was made under the same idempotency key is given again. Raises
    `NotFound`, `Conflict` for a survey that is not published, `Invalid` for too many people, `Unavailable` while it is
    not known whom others have asked."""
    survey = await published_survey(tx, wanted.survey_id)
    await require_read(tx)
    await asks.lock_asking(tx)
    persons = await persons_of(tx, wanted.named, wanted.chosen, wanted.caller)
    await tx.lock_accounts({account_id for account_id, _ in persons})
    unseen = await unseen_people(tx, persons, wanted.caller) | await _erased_meanwhile(tx, journal, persons, now)
    known = await known_people(tx, [person for person in persons if person not in unseen], tokens, now)
    problems = _problems(known, survey, now, overriding=wanted.overriding is not None)
    ask_ids = _ask_ids(wanted, persons)
    stored = await asks.stored_links(tx, ask_ids)
    made: list[MadeLink] = []
    planned: list[NewAsk] = []
    named: set[PersonKey] = set()
    for person, ask_id in zip(persons, ask_ids, strict=True):
        problem = problems.get(person)
        if person in named:
            problem = Refusal("shared_address", "the person is named more than once")
        named.add(person)
        if person in unseen:
            nobody = Candidate(*person)
            made.append(MadeLink(nobody, None, None, None, refusal_of(nobody, survey.kind, now)))
        elif ask_id in stored:
            made.append(_made_before(known[person].candidate, stored[ask_id]))
        else:
            ask = _ask(ask_id, survey, wanted, known[person], problem, now)
            planned.append(ask)
            made.append(MadeLink(known[person].candidate, ask_id, ask.language, ask.closes_at, problem))
    await asks.insert_asks(tx, planned)
    await hand_over(tx, survey, planned, now)
    return survey, made


async def published_survey(tx: ReadTx, survey_id: str) -> PublishedSurvey:
    """The published survey of this id. Raises `NotFound`, and `Conflict` for one that was never published."""
    survey = await asks.published_survey(tx, survey_id)
    if survey is None:
        raise NotFound("survey_not_found", "there is no such survey")
    if survey.version == 0:
        raise Conflict("survey_not_published", "publish the survey first: links show a published version")
    if survey.archived:
        raise Conflict("survey_archived", "the survey is archived: bring it back, or ask by another one")
    return survey


async def _erased_meanwhile(
    tx: ReadTx, journal: Journal, persons: Sequence[PersonKey], now: datetime
) -> set[PersonKey]:
    """Who was erased while the call waited for the lock: an ask of before the erasure would stay for good."""
    overtaken = await journal.overtaken(tx, [(*person, now) for person in persons])
    return {person for person, erased in zip(persons, overtaken, strict=True) if erased}


def _ask_ids(wanted: WantedLinks, persons: Sequence[PersonKey]) -> list[UUID]:
    """The id of each person's ask: with an idempotency key the same as in every other try."""
    ids = []
    mentions: Counter[PersonKey] = Counter()
    for person in persons:
        ask_id = uuid4()
        if wanted.idempotency_key is not None:
            call = wanted.caller.key_id, wanted.idempotency_key, wanted.survey_id
            ask_id = derived_uuid("ask", *call, *person, str(mentions[person]))
        mentions[person] += 1
        ids.append(ask_id)
    return ids


def _made_before(candidate: Candidate, ask: Mapping[str, Any]) -> MadeLink:
    problem = None
    if ask["reason"] is not None:
        problem = Refusal(ask["reason"], ask["note"] or "", ask["again_at"])
    return MadeLink(candidate, ask["ask_id"], ask["language"], ask["closes_at"], problem)


def _problems(
    known: Mapping[PersonKey, Known], survey: PublishedSurvey, now: datetime, *, overriding: bool
) -> dict[PersonKey, Refusal]:
    """Why people are not asked, by person. Of those at an account who have the same address one is asked, and of those
    at several accounts one now."""
    problems: dict[PersonKey, Refusal] = {}
    asked: dict[bytes, set[str]] = {}
    for person, found in sorted(known.items(), key=lambda item: (item[1].candidate.rank, item[0])):
        candidate = found.candidate
        accounts: set[str] = set()
        if found.hashed is not None:
            accounts = asked.setdefault(found.hashed.digest, accounts)
        if accounts:
            candidate = replace(candidate, address_asked_at=now)
        problem = refusal_of(candidate, survey.kind, now, overriding=overriding)
        if person[0] in accounts and (problem is None or problem.reason == "floor"):
            problem = Refusal("shared_address", "somebody else of the account has the same address and is asked")
        if problem is None:
            accounts.add(person[0])
        else:
            problems[person] = problem
    return problems


def _ask(
    ask_id: UUID, survey: PublishedSurvey, wanted: WantedLinks, known: Known, problem: Refusal | None, now: datetime
) -> NewAsk:
    state, reason, note, again_at = "waiting", None, wanted.overriding, None
    latest_at: datetime | None = now + WAITS
    if wanted.handed_over:
        state, latest_at = "sent", None
    if problem is not None:
        state, reason, note, again_at = "skipped", problem.reason, problem.detail, problem.again_at
        latest_at = None
    digest = key_id = None
    if known.hashed is not None:
        digest, key_id = known.hashed.digest, known.hashed.key_id
    return NewAsk(
        ask_id=ask_id,
        survey_id=survey.survey_id,
        survey_version=survey.version,
        account_id=known.candidate.account_id,
        stakeholder_id=known.candidate.stakeholder_id,
        state=state,
        origin="link",
        channel="link",
        handed_over=wanted.handed_over,
        created_at=now,
        created_by=wanted.caller.actor,
        due_at=now,
        address_hash=digest,
        address_key_id=key_id,
        reason=reason,
        note=note,
        again_at=again_at,
        language=wanted.language or known.candidate.language,
        latest_at=latest_at,
    )


async def hand_over(tx: WriteTx, survey: PublishedSurvey, made: Sequence[NewAsk], now: datetime) -> None:
    """Links that are handed over count as asked at once, and everybody is told that they were sent."""
    moments = []
    calls = []
    for ask in made:
        if ask.state != "sent":
            continue
        person = {"account_id": ask.account_id, "stakeholder_id": ask.stakeholder_id}
        moments.append(person | {"last_asked_at": now, f"{survey.kind}_asked_at": now})
        calls.append(invitation_call(ask.ask_id, person, "sent", now, survey_id=survey.survey_id, channel=ask.channel))
    await contacts.note(tx, moments)
    await queue(tx, now, *calls)


def link_of(public_url: str, tokens: Tokens, ask_id: UUID, *, review: bool = False) -> str:
    """The personal link of an ask: to the survey, or to the `review` that ends with it."""
    path, purpose = "s", Purpose.ASK
    if review:
        path, purpose = "r", Purpose.REVIEW
    return f"{public_url.rstrip('/')}/{path}/{tokens.made(purpose, ask_id.bytes)}"
