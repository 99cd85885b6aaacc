"""Links: for each person one ask, or the reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from services.outreach.domain.asks import AskedFor, NewAsk
from services.outreach.domain.eligibility import Candidate, Refusal, refusal_of
from services.outreach.domain.tokens import Purpose, Tokens
from services.outreach.handlers.candidates import Known, Named, known_people, persons_of, unseen_people
from services.outreach.store import asks, contacts, readings
from services.outreach.store.outgoing import OutgoingCall, queue
from services.outreach.store.people import Chosen, PersonKey
from shared.access.caller import Caller
from shared.clock import rfc3339
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict, NotFound, Unavailable


@dataclass(frozen=True, slots=True)
class WantedLinks:
    """Links to a survey, for the `named` people or those of a filter. `overriding` is why it shall not matter when
    they were asked or answered last."""

    survey_id: str
    named: tuple[Named, ...] | None = None
    chosen: Chosen | None = None
    handed_over: bool = True
    overriding: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class MadeLink:
    """What became of one person: an ask with a link, or a problem. Somebody whom the caller may not know of has no
    ask."""

    candidate: Candidate
    ask: NewAsk | None
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
    tx: WriteTx, wanted: WantedLinks, tokens: Tokens, caller: Caller, now: datetime
) -> tuple[AskedFor, list[MadeLink]]:
    """Make an ask for each person, in their order. Raises `NotFound`, `Conflict` for a survey that is not published,
    `Invalid` for too many people, `Unavailable` while it is not known whom others have asked."""
    survey = await _survey(tx, wanted.survey_id)
    await require_read(tx)
    persons = await persons_of(tx, wanted.named, wanted.chosen, caller)
    await tx.lock_accounts({account_id for account_id, _ in persons})
    unseen = await unseen_people(tx, persons, caller)
    known = await known_people(tx, persons, tokens, now)
    problems = _problems(known, survey, now, overriding=wanted.overriding is not None)
    made: list[MadeLink] = []
    named = set()
    for person in persons:
        if person in unseen:
            nobody = Candidate(*person)
            made.append(MadeLink(nobody, None, refusal_of(nobody, survey.kind, now)))
            continue
        problem = problems.get(person)
        if person in named:
            problem = Refusal("shared_address", "the person is named more than once")
        named.add(person)
        ask = _ask(survey, wanted, known[person], problem, caller, now)
        made.append(MadeLink(known[person].candidate, ask, problem))
    planned = list(filter(None, (link.ask for link in made)))
    await asks.insert_asks(tx, planned)
    await _hand_over(tx, survey, planned, now)
    return survey, made


async def _survey(tx: ReadTx, survey_id: str) -> AskedFor:
    survey = await asks.published_survey(tx, survey_id)
    if survey is None:
        raise NotFound("survey_not_found", "there is no such survey")
    if survey.version == 0:
        raise Conflict("survey_not_published", "publish the survey first: links show a published version")
    if survey.archived:
        raise Conflict("survey_archived", "the survey is archived: bring it back, or ask by another one")
    return survey


def _problems(
    known: Mapping[PersonKey, Known], survey: AskedFor, now: datetime, *, overriding: bool
) -> dict[PersonKey, Refusal]:
    """Why people are not asked, by person. Of those at an account who have the same address one is asked."""
    problems: dict[PersonKey, Refusal] = {}
    firsts: dict[tuple[str, bytes], PersonKey] = {}
    for person, one in sorted(known.items(), key=lambda item: item[1].candidate.rank):
        problem = refusal_of(one.candidate, survey.kind, now, overriding=overriding)
        if problem is None and one.hashed is not None:
            first = firsts.setdefault((person[0], one.hashed.digest), person)
            if first != person:
                problem = Refusal("shared_address", "somebody else of the account has the same address and is asked")
        if problem is not None:
            problems[person] = problem
    return problems


def _ask(
    survey: AskedFor, wanted: WantedLinks, one: Known, problem: Refusal | None, caller: Caller, now: datetime
) -> NewAsk:
    state, reason, note = "waiting", None, wanted.overriding
    if wanted.handed_over:
        state = "sent"
    if problem is not None:
        state, reason, note = "skipped", problem.reason, problem.detail
    digest = None
    if one.hashed is not None:
        digest = one.hashed.digest
    return NewAsk(
        ask_id=uuid4(),
        survey_id=survey.survey_id,
        survey_version=survey.version,
        account_id=one.candidate.account_id,
        stakeholder_id=one.candidate.stakeholder_id,
        state=state,
        origin="link",
        channel="link",
        handed_over=wanted.handed_over,
        created_at=now,
        created_by=caller.name or caller.key_id,
        due_at=now,
        address_hash=digest,
        reason=reason,
        note=note,
        language=wanted.language or one.candidate.language,
    )


async def _hand_over(tx: WriteTx, survey: AskedFor, planned: Sequence[NewAsk], now: datetime) -> None:
    """Links that are handed over count as asked at once, and everybody is told that they were sent."""
    moments = []
    calls = []
    for ask in planned:
        if ask.state != "sent":
            continue
        person = {"account_id": ask.account_id, "stakeholder_id": ask.stakeholder_id}
        moments.append(person | {"last_asked_at": now, f"{survey.kind}_asked_at": now})
        calls.append(invitation_call(ask.ask_id, person, "sent", now, survey_id=survey.survey_id, channel=ask.channel))
    await contacts.note(tx, moments)
    await queue(tx, now, *calls)


def invitation_call(ask_id: UUID, person: Mapping[str, str], kind: str, at: datetime, **further: str) -> OutgoingCall:
    """The call that tells the collector what happened to an ask; it is told once for each kind."""
    body = {"invitation_id": str(ask_id), **person, "kind": kind, "at": rfc3339(at), **further}
    return OutgoingCall(
        key=f"fact:{ask_id}:{kind}",
        service="collector",
        method="POST",
        path="/v1/invitation-events",
        body=body,
        account_id=person["account_id"],
        stakeholder_id=person["stakeholder_id"],
        ask_id=ask_id,
        due_at=at,
    )


def link_of(public_url: str, tokens: Tokens, ask_id: UUID) -> str:
    """The personal link of an ask."""
    return f"{public_url.rstrip('/')}/s/{tokens.made(Purpose.ASK, ask_id.bytes)}"
