"""Business reviews: a copy of the client's review pack with one link for each recipient, made, read and taken back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID, uuid4

from services.outreach.domain import reviews as rules
from services.outreach.domain.asks import AskChange, NewAsk, PublishedSurvey
from services.outreach.domain.reviews import Copied
from services.outreach.domain.surveys import Survey
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.benchmark import Benchmark
from services.outreach.handlers.candidates import Named, persons_of
from services.outreach.handlers.facts import invitation_call
from services.outreach.handlers.links import hand_over, published_survey
from services.outreach.handlers.suppressions import hashes_of
from services.outreach.store import asks
from services.outreach.store import reviews as store
from services.outreach.store.outgoing import OutgoingCall, queue
from services.outreach.store.reviews import NewReview, Row
from services.outreach.store.surveys import find_version
from shared.access.caller import Caller
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict, Invalid, NotFound
from shared.ids import derived_uuid

CHANNEL = "review"
Problem = dict[str, str]


@dataclass(frozen=True, slots=True)
class ReviewWanted:
    """A business review that somebody wants to make. `recipients`: in the order of the request. `comments`: the
    responses whose comments are copied. The same `idempotency_key` of the same API key gives the same review of an
    account."""

    account_id: str
    survey_id: str | None
    held_on: date
    recipients: tuple[Named, ...]
    intro: str | None
    comments: tuple[str, ...]
    key: str
    caller: Caller
    idempotency_key: str | None = None

    def review_id(self) -> UUID:
        """The id of the review."""
        if self.idempotency_key is None:
            return uuid4()
        return derived_uuid("business review", self.caller.key_id, self.account_id, self.idempotency_key)


@dataclass(frozen=True, slots=True)
class ReviewFound:
    """A review with all that is shown of it."""

    row: Row
    excerpts: Sequence[Row]
    recipients: Sequence[Row]


@dataclass(frozen=True, slots=True)
class ReviewMaterial:
    """What a review is made of: the survey's published version, the copy, and what the pack cut short."""

    survey: PublishedSurvey
    copied: Copied
    warnings: Sequence[str]


class Reviews:
    """Makes, reads and takes back business reviews."""

    def __init__(
        self, database: Database, benchmark: Benchmark, journal: Journal, tokens: Tokens, clock: Clock
    ) -> None:
        self._database = database
        self._benchmark = benchmark
        self._journal = journal
        self._tokens = tokens
        self._clock = clock

    async def make(self, wanted: ReviewWanted) -> ReviewFound:
        """Copy the pack, and make a link for each recipient. Raises NotFound for an account that is not there or not
        the caller's, Invalid for recipients and comments that are unknown, Conflict without a published survey, and
        `Away`."""
        review_id, owner_email = wanted.review_id(), wanted.caller.owner_email
        async with self._database.read() as tx:
            made_before = await store.find(tx, review_id, owner_email) is not None
        if not made_before:
            await self._write(review_id, wanted, await self._material(wanted))
        return await self.find(review_id, owner_email)

    async def preview(self, wanted: ReviewWanted) -> tuple[ReviewMaterial, Survey]:
        """What `make` would copy, and the survey that the page ends with; nothing is made. Raises as `make` does."""
        material = await self._material(wanted)
        async with self._database.read() as tx:
            await _people(tx, wanted)
            kept = await self._without_erased(tx, wanted.account_id, material.copied)
            published = await find_version(tx, material.survey.survey_id, material.survey.version)
        if published is None:
            raise LookupError("a survey names a version that does not exist")
        return replace(material, copied=kept), published.survey

    async def find(self, review_id: UUID, owner_email: str | None) -> ReviewFound:
        """One review. Raises NotFound, also for somebody else's account."""
        async with self._database.read() as tx:
            row = await store.find(tx, review_id, owner_email)
            if row is None:
                raise _not_found()
            return ReviewFound(row, await store.excerpts_of(tx, review_id), await store.recipients_of(tx, review_id))

    async def withdraw(self, review_id: UUID, caller: Caller) -> ReviewFound:
        """Take a review back: its links end, and what was not told of it is not. Raises NotFound."""
        now = self._clock.now()

        async def write(tx: WriteTx) -> None:
            if await store.find(tx, review_id, caller.owner_email) is None:
                raise _not_found()
            if await store.withdraw(tx, review_id, now):
                await _withdraw_asks(tx, review_id, now, caller.actor)
                await store.take_back(tx, _held_key(review_id))

        await self._database.retrying(write)
        return await self.find(review_id, caller.owner_email)

    async def _material(self, wanted: ReviewWanted) -> ReviewMaterial:
        _require_day(wanted, self._clock.now().date())
        async with self._database.read() as tx:
            await _require_account(tx, wanted)
            survey = await _survey_of(tx, wanted)
        pack = await self._benchmark.client_pack(wanted.key, wanted.account_id)
        async with self._database.read() as tx:
            copied = rules.copied(pack, wanted.comments, await store.names_at(tx, wanted.account_id))
        _require_comments(wanted, copied)
        return ReviewMaterial(survey, copied, pack["warnings"])

    async def _write(self, review_id: UUID, wanted: ReviewWanted, material: ReviewMaterial) -> None:
        now = self._clock.now()
        review = _new(review_id, wanted, material.survey, now)

        async def write(tx: WriteTx) -> None:
            # An erasure holds the same lock: what it has not seen here, it has written down before.
            await tx.lock_accounts([review.account_id])
            kept = await self._without_erased(tx, review.account_id, material.copied)
            if await store.insert(tx, review, kept, material.warnings):
                links = [self._ask(review, *person) for person in (await _people(tx, wanted)).items()]
                await asks.insert_asks(tx, links)
                await hand_over(tx, material.survey, links, now)
                await queue(tx, now, _held(review))

        await self._database.retrying(write)

    async def _without_erased(self, tx: ReadTx, account_id: str, copied: Copied) -> Copied:
        """The copy without what goes back to people who were erased since they said it: the pack may be older."""
        facts = [(account_id, excerpt.stakeholder_id or "", excerpt.at) for excerpt in copied.excerpts]
        overtaken = await self._journal.overtaken(tx, facts)
        kept = []
        for excerpt, is_erased in zip(copied.excerpts, overtaken, strict=True):
            if not is_erased:
                kept.append(excerpt)
        return replace(copied, excerpts=tuple(kept))

    def _ask(self, review: NewReview, stakeholder_id: str, address: str | None) -> NewAsk:
        """A link that is handed over as it is made. Neither an objection to mails nor a quarantine stands against it:
        the supplier gives it to people with whom they speak."""
        digest = key_id = None
        hashed = next(iter(hashes_of(self._tokens, address)), None)
        if hashed is not None:
            digest, key_id = hashed.digest, hashed.key_id
        return NewAsk(
            ask_id=uuid4(),
            survey_id=review.survey_id,
            survey_version=review.survey_version,
            account_id=review.account_id,
            stakeholder_id=stakeholder_id,
            state="sent",
            origin="review",
            channel=CHANNEL,
            handed_over=True,
            created_at=review.created_at,
            created_by=review.created_by,
            due_at=review.created_at,
            open_days=rules.OPEN_FOR.days,
            address_hash=digest,
            address_key_id=key_id,
            review_id=review.review_id,
        )


async def _withdraw_asks(tx: WriteTx, review_id: UUID, now: datetime, actor: str) -> None:
    """End all links; whoever has answered can change nothing any more, and is told as answered."""
    change = AskChange(now, "sent", "by_hand", "the business review was withdrawn", actor)
    for row in await store.open_asks(tx, review_id):
        await asks.withdraw(tx, row["ask_id"], change)
        if row["answered_at"] is not None:
            continue
        person = {"account_id": row["account_id"], "stakeholder_id": row["stakeholder_id"]}
        await queue(tx, now, invitation_call(row["ask_id"], person, "expired", now, reason="withdrawn"))


async def _require_account(tx: ReadTx, wanted: ReviewWanted) -> None:
    if not await store.account_exists(tx, wanted.account_id, wanted.caller.owner_email):
        raise NotFound("account_not_found", "there is no such account")


async def _survey_of(tx: ReadTx, wanted: ReviewWanted) -> PublishedSurvey:
    survey_id = wanted.survey_id or await store.last_published(tx)
    if survey_id is None:
        raise Conflict("no_review_survey", "publish a survey for business reviews first")
    return await published_survey(tx, survey_id)


async def _people(tx: ReadTx, wanted: ReviewWanted) -> dict[str, str | None]:
    """The people by their own ids, in the order in which they were named: stakeholder_id -> address. Raises Invalid."""
    persons = await persons_of(tx, wanted.recipients, None, wanted.caller)
    listed = await store.people_at(tx, wanted.account_id, [stakeholder_id for _, stakeholder_id in persons])
    people: dict[str, str | None] = {}
    problems: list[Problem] = []
    for index, (_, stakeholder_id) in enumerate(persons):
        if stakeholder_id not in listed:
            problems.append(_problem(f"recipients.{index}", "not_in_directory", "is no person of this account"))
        elif stakeholder_id in people:
            problems.append(_problem(f"recipients.{index}", "named_twice", "is the same person as another recipient"))
        else:
            people[stakeholder_id] = listed[stakeholder_id]
    _refuse(problems)
    return people


def _require_day(wanted: ReviewWanted, today: date) -> None:
    if not rules.FIRST_DAY <= wanted.held_on <= today + rules.LAST_AHEAD:
        _refuse([_problem("held_on", "invalid_held_on", "must lie within a year from now, and after 1999")])


def _require_comments(wanted: ReviewWanted, copied: Copied) -> None:
    problems = []
    for index, response_id in enumerate(wanted.comments):
        if response_id in copied.unknown:
            problems.append(_problem(f"comments.{index}", "no_comment", "is no comment of the time of this review"))
    _refuse(problems)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Invalid("invalid_request", "the request breaks the rules of its fields", errors=problems)


def _problem(field: str, code: str, detail: str) -> Problem:
    return {"field": field, "code": code, "detail": detail}


def _new(review_id: UUID, wanted: ReviewWanted, survey: PublishedSurvey, now: datetime) -> NewReview:
    return NewReview(
        review_id=review_id,
        account_id=wanted.account_id,
        survey_id=survey.survey_id,
        survey_version=survey.version,
        held_on=wanted.held_on,
        intro=wanted.intro,
        created_at=now,
        created_by=wanted.caller.actor,
        closes_at=now + rules.OPEN_FOR,
    )


def _held(review: NewReview) -> OutgoingCall:
    """The mark on the trend, told when the day has come: the collector takes nothing from the future."""
    at = rules.moment_of(review.held_on)
    return OutgoingCall(
        key=_held_key(review.review_id),
        service="collector",
        method="POST",
        path="/v1/context-events",
        body={
            "event_id": str(derived_uuid("review_held", str(review.review_id))),
            "account_id": review.account_id,
            "kind": "review_held",
            "at": at.isoformat(),
            "label": "Business review",
        },
        account_id=review.account_id,
        due_at=max(at, review.created_at),
    )


def _held_key(review_id: UUID) -> str:
    return f"review_held:{review_id}"


def _not_found() -> NotFound:
    return NotFound("review_not_found", "there is no such business review")
