"""What a programme would do, before anything is armed: whom it would ask and when, and why it would not ask others."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from services.outreach.domain.asks import PublishedSurvey
from services.outreach.domain.audience import Deployment, Due, Planner
from services.outreach.domain.hours import start_of
from services.outreach.domain.occasions import monday_of
from services.outreach.domain.planning import Decision, Hold, Planned, Skip, Terms, decide
from services.outreach.domain.tokens import Tokens
from services.outreach.handlers.candidates import Known, known_people
from services.outreach.handlers.planner import chosen_of, planner_of
from services.outreach.store import asks, planning
from services.outreach.store.people import PersonKey
from services.outreach.store.planning import PAGE
from services.outreach.store.programmes import StoredProgramme
from shared.api.programmes import DryRun, OnEvent, OwnerCount, ProgrammeDocument, ReasonCount, WeekCount
from shared.db.engine import Database
from shared.errors import Conflict

AHEAD: Final = timedelta(days=91)
"""Each person of a quarterly programme has one occasion within it."""


@dataclass
class _Counts:
    """What was found, person by person. `accounts` maps an account to how many of its people would be asked."""

    accounts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    weeks: Counter[date] = field(default_factory=Counter)
    owners: Counter[str | None] = field(default_factory=Counter)
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
        self.weeks[monday_of(at.date())] += 1
        self.owners[due.member.owner_email] += 1
        self.moments.append(at)

    def state(self, state: str) -> int:
        """How many people are in it."""
        return sum(count for (of, _), count in self.reasons.items() if of == state)


async def dry_run(
    database: Database, stored: StoredProgramme, tokens: Tokens, deployment: Deployment, now: datetime
) -> DryRun:
    """What the programme would do from now on, each person once. Raises `Conflict` for a survey that is not
    published."""
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
            first = _first_of_each(planner.due(page, now, until))
            known = await known_people(tx, list(first), tokens, now)
        _count(counts, first, known, planner, survey, now)
        if len(page) < PAGE:
            break
        after = page[-1].person
    return _told(counts, stored.revision, now, until)


def terms_of(programme: ProgrammeDocument, survey: PublishedSurvey) -> Terms:
    """What the programme itself asks for."""
    return Terms(
        kind=survey.kind,
        only_with_permission=programme.only_with_permission,
        not_before_days=programme.who.not_before_days,
    )


def planned_of(due: Due, known: Known, planner: Planner) -> Planned:
    """A person with what decides whether they are asked."""
    since = None
    if due.member.customer_since is not None:
        since = start_of(due.member.customer_since, planner.deployment.zones.supplier)
    calendar = planner.deployment.calendar(planner.programme.hours, due.member)
    return Planned(known.candidate, calendar, due.occasion.latest_at, since)


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
    terms = terms_of(planner.programme, survey)
    addresses = set()
    for person, due in sorted(first.items(), key=lambda item: known[item[0]].candidate.rank):
        at = planner.deployment.calendar(planner.programme.hours, due.member).next_open(max(due.due_at, now))
        decision = decide(planned_of(due, known[person], planner), terms, at)
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
            "by_week": [WeekCount(week=week, count=count) for week, count in sorted(counts.weeks.items())],
            "by_owner": [
                OwnerCount(owner=owner, count=count)
                for owner, count in sorted(counts.owners.items(), key=lambda item: (-item[1], item[0] or ""))
            ],
        }
    )
