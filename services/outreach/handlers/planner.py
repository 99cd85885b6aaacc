"""Programmes plan: for each occasion of each person that comes within a fortnight there is one ask, written once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import uuid4

from services.outreach.domain.asks import SYSTEM, NewAsk, PublishedSurvey
from services.outreach.domain.audience import HORIZON, NOBODY, Deployment, Due, Events, Member, Planner
from services.outreach.domain.occasions import Happening, is_stale
from services.outreach.store import asks, planning, programmes
from services.outreach.store.people import Chosen
from services.outreach.store.planning import PAGE
from services.outreach.store.programmes import StoredProgramme
from shared.api.programmes import Audience, OnEvent
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import ReadTx, WriteTx

AGAIN = timedelta(hours=12)
"""How often the audience of a programme that asks by the calendar is gone through: whoever is new is seen then."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ProgrammePlanner:
    """Writes the asks of running programmes."""

    database: Database
    clock: Clock
    deployment: Deployment

    async def round(self) -> bool:
        """Plan for all programmes that ask now; returns whether anything was written."""
        async with self.database.read() as tx:
            running = await programmes.running(tx)
        written = 0
        for stored in running:
            if self._is_due(stored):
                written += await self.plan(stored)
        return written > 0

    async def plan(self, stored: StoredProgramme) -> int:
        """Write what one programme has to ask within the horizon; returns how many asks that were."""
        now = self.clock.now()
        until = now + HORIZON
        async with self.database.read() as tx:
            survey = await asks.published_survey(tx, stored.programme.survey_id)
            planner = await planner_of(tx, stored, self.deployment, now)
        if survey is None or survey.version == 0 or survey.archived:
            return 0
        chosen, accounts = chosen_of(stored.programme.who), None
        if isinstance(stored.programme.when, OnEvent):
            accounts = planner.events.by_account.keys()
        written, after = 0, None
        nobody = await self._nobody(planner, chosen)
        while True:
            async with self.database.read() as tx:
                page = await planning.members(tx, chosen, accounts, after, PAGE)
            new = [_ask(stored, survey, due, now) for due in planner.due([*page, *nobody], now - AGAIN, until)]
            written += await self.database.retrying(lambda tx, new=new: _write(tx, stored, new))  # type: ignore[misc]
            nobody = []
            if len(page) < PAGE:
                break
            after = page[-1].person
        await self.database.retrying(
            lambda tx: programmes.note_planned(tx, stored.programme_id, stored.revision, until)
        )
        return written

    async def _nobody(self, planner: Planner, chosen: Chosen) -> list[Member]:
        """Of each account of the audience with an event that should name whom to ask: nobody, so that events which do
        not are told."""
        when = planner.programme.when
        if not isinstance(when, OnEvent) or when.whom != "person":
            return []
        async with self.database.read() as tx:
            found = await planning.accounts_of(tx, chosen, planner.events.by_account.keys())
        return [Member(account_id, NOBODY) for account_id in found]

    def _is_due(self, stored: StoredProgramme) -> bool:
        """Events are looked at each time, since they may be new; the calendar twice a day."""
        if isinstance(stored.programme.when, OnEvent) or stored.planned_until is None:
            return True
        return stored.planned_until <= self.clock.now() + HORIZON - AGAIN


async def planner_of(tx: ReadTx, stored: StoredProgramme, deployment: Deployment, now: datetime) -> Planner:
    """What a programme is planned by: also one that has not begun, as if it began today."""
    begun = stored.begun_on or now.date()
    events = Events()
    when = stored.programme.when
    if isinstance(when, OnEvent):
        since = _LONG_AGO
        if when.repeat_days is None and not when.only_first:
            since = now - timedelta(days=when.after_days) - 2 * HORIZON
        kinds = {when.kind}
        if when.until is not None:
            kinds.add(when.until)
        events = _events(await planning.happenings(tx, kinds, since), when)
    return Planner(stored.programme_id, stored.programme, begun, deployment, events)


def chosen_of(who: Audience) -> Chosen:
    """The filter of the directory."""
    return Chosen(**{name.name: getattr(who, name.name) or None for name in fields(Chosen)})


def _events(found: Sequence[Happening], when: OnEvent) -> Events:
    by_account: dict[str, list[Happening]] = {}
    ends: dict[str, list[datetime]] = {}
    for account_id, happened in groupby(found, key=lambda event: event.account_id):
        for event in happened:
            if event.kind == when.kind:
                by_account.setdefault(account_id, []).append(event)
            else:
                ends.setdefault(account_id, []).append(event.at)
    return Events(by_account, ends)


async def _write(tx: WriteTx, stored: StoredProgramme, new: Sequence[NewAsk]) -> int:
    """Write asks, unless the programme was changed or stopped since they were planned."""
    held = await programmes.hold(tx, stored.programme_id)
    if held is None or (held.state, held.revision) != ("running", stored.revision):
        return 0
    return await planning.write_new(tx, new)


def _ask(stored: StoredProgramme, survey: PublishedSurvey, due: Due, now: datetime) -> NewAsk:
    state, reason, note = "waiting", None, None
    if due.member.stakeholder_id == NOBODY:
        state, reason, note = "skipped", "no_person", "what happened names nobody whom to ask"
    elif is_stale(due.occasion, now):
        state, reason, note = "skipped", "too_late", "it happened too long ago to be asked about"
    return NewAsk(
        ask_id=uuid4(),
        survey_id=survey.survey_id,
        survey_version=survey.version,
        account_id=due.member.account_id,
        stakeholder_id=due.member.stakeholder_id,
        state=state,
        origin="programme",
        channel="email",
        handed_over=False,
        created_at=now,
        created_by=SYSTEM,
        due_at=due.due_at,
        open_days=stored.programme.open_days,
        reason=reason,
        note=note,
        programme_id=stored.programme_id,
        occasion=due.occasion.key,
        latest_at=due.occasion.latest_at,
    )
