"""What a programme would do, before anything is armed: whom it would ask and when, and why it would not ask others."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from services.outreach.domain.asks import PublishedSurvey
from services.outreach.domain.audience import Deployment, Due, Planner
from services.outreach.domain.occasions import monday_of
from services.outreach.domain.planning import Decision, Hold, Skip, Terms, decide, planned_of, terms_of
from services.outreach.domain.tokens import Tokens
from services.outreach.handlers.candidates import Known, known_people
from services.outreach.handlers.planner import chosen_of, planner_of
from services.outreach.store import asks, planning
from services.outreach.store.people import PersonKey
from services.outreach.store.planning import PAGE
from services.outreach.store.programmes import StoredProgramme
from shared.api.programmes import DryRun, OnEvent, OwnerCount, ReasonCount, WaveCount, WeekCount
from shared.db.engine import Database
from shared.db.transaction import ReadTx
from shared.errors import Conflict

AHEAD: Final = timedelta(days=91)
"""Each person of a quarterly programme has one occasion within it."""


@dataclass
class _Counts:
    """What was found, person by person. `accounts` maps an account to how many of its people would be asked."""

    accounts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    waves: Counter[tuple[date, str | None]] = field(default_factory=Counter)
    moments: list[datetime] = field(default_factory=list)

    def add(self, due: Due, decision: Decision) -> None:
        """Count a person."""
        account_id = due.member.account_id
        self.accounts[account_id] += 0
        if isinstance(decision, Skip):
            self.reasons["skipped", decision.reason] += 1
            return
        at = due.due_at
        if isinstance(decision, Hold):
            self.reasons["held", decision.reason] += 1
            at = decision.until
        self.accounts[account_id] += 1
        self.waves[monday_of(at.date()), due.member.owner_email] += 1
        self.moments.append(at)

    def weeks(self) -> Counter[date]:
        """Monday -> how many people would be asked in its week."""
        counted: Counter[date] = Counter()
        for (week, _), count in self.waves.items():
            counted[week] += count
        return counted

    def owners(self) -> Counter[str | None]:
        """Owner -> how many people of their accounts would be asked."""
        counted: Counter[str | None] = Counter()
        for (_, owner), count in self.waves.items():
            counted[owner] += count
        return counted

    def state(self, state: str) -> int:
        """How many people are in it."""
        return sum(count for (of, _), count in self.reasons.items() if of == state)


async def dry_run(
    database: Database, stored: StoredProgramme, tokens: Tokens, deployment: Deployment, now: datetime
) -> DryRun:
    """What the programme would do from now on, each person once; what it has done already is left out. Raises
    `Conflict` for a survey that is not published."""
    until = now + AHEAD
    async with database.read() as tx:
        survey = await asks.published_survey(tx, stored.programme.survey_id)
        planner = await planner_of(tx, stored, deployment, now)
    if survey is None or survey.version == 0:
        raise Conflict("survey_not_published", "publish the survey first: people are asked by its published version")
    if survey.archived:
        raise Conflict("survey_archived", "the survey is archived: bring it back, or ask by another one")
    chosen, accounts = chosen_of(stored.programme.who), None
    if isinstance(stored.programme.when, OnEvent):
        accounts = planner.events.by_account.keys()
    counts, after = _Counts(), None
    while True:
        async with database.read() as tx:
            page = await planning.members(tx, chosen, accounts, after, PAGE)
            first = _first_of_each(await _open(tx, stored, list(planner.due(page, now, until))))
            known = await known_people(tx, list(first), tokens, now, stored.programme_id)
        _count(counts, first, known, planner, survey, now)
        if len(page) < PAGE:
            break
        after = page[-1].person
    return _told(counts, stored.revision, now, until)


async def _open(tx: ReadTx, stored: StoredProgramme, found: list[Due]) -> list[Due]:
    """Without the occasions for which the programme has asked, or has decided not to."""
    if stored.begun_on is None:
        return found
    settled = await planning.settled(tx, stored.programme_id, {due.occasion.key for due in found})
    return [due for due in found if (due.occasion.key, *due.member.person) not in settled]


def _first_of_each(found: Iterable[Due]) -> dict[PersonKey, Due]:
    first: dict[PersonKey, Due] = {}
    for due in found:
        there = first.get(due.member.person)
        if there is None or due.due_at < there.due_at:
            first[due.member.person] = due
    return first


def _count(
    counts: _Counts,
    first: Mapping[PersonKey, Due],
    known: Mapping[PersonKey, Known],
    planner: Planner,
    survey: PublishedSurvey,
    now: datetime,
) -> None:
    programme, deployment = planner.programme, planner.deployment
    terms = terms_of(programme, survey.kind, Terms(""))
    addresses = set()
    for person, due in sorted(first.items(), key=lambda item: known[item[0]].candidate.rank):
        planned = planned_of(known[person].candidate, due.member, programme, deployment, due.occasion.latest_at)
        decision = decide(planned, terms, planned.calendar.next_open(max(due.due_at, now)))
        hashed = known[person].hashed
        if hashed is not None and not isinstance(decision, Skip):
            address = (person[0], due.occasion.key, hashed.digest)
            if address in addresses:
                decision = Skip("shared_address", "somebody else of the account has the same address and is asked")
            addresses.add(address)
        counts.add(due, decision)


def _told(counts: _Counts, revision: int, now: datetime, until: datetime) -> DryRun:
    reasons = [
        ReasonCount.model_validate({"state": state, "reason": reason, "count": count})
        for (state, reason), count in sorted(counts.reasons.items(), key=lambda item: (-item[1], item[0]))
    ]
    return DryRun.model_validate(
        {
            "revision": revision,
            "from": now.astimezone(UTC),
            "until": until.astimezone(UTC),
            "would_ask": counts.accounts.total(),
            "account_count": sum(1 for count in counts.accounts.values() if count),
            "first_at": min(counts.moments, default=None),
            "last_at": max(counts.moments, default=None),
            "held": counts.state("held"),
            "skipped": counts.state("skipped"),
            "reasons": reasons,
            "accounts_without_anybody": sum(1 for count in counts.accounts.values() if not count),
            "by_week": [WeekCount(week=week, count=count) for week, count in sorted(counts.weeks().items())],
            "by_owner": [
                OwnerCount(owner=owner, count=count)
                for owner, count in sorted(counts.owners().items(), key=lambda item: (-item[1], item[0] or ""))
            ],
            "waves": _waves(counts),
        }
    )


def _waves(counts: _Counts) -> list[WaveCount]:
    found = [WaveCount(week=week, owner=owner, count=count) for (week, owner), count in counts.waves.items()]
    return sorted(found, key=lambda wave: (wave.week, wave.owner or ""))
