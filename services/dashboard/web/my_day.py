"""The page that opens for an account manager: what is theirs to do today, and nothing of anybody else."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.domain.follow_ups import kind
from services.dashboard.web.elements import (
    Cell,
    Text,
    account_link,
    address,
    box,
    empty,
    figure,
    link,
    spark,
    table,
    when,
)
from services.dashboard.web.follow_ups.listing import Listed, listed
from services.dashboard.web.names import NameLookup
from services.dashboard.web.page import page
from services.dashboard.web.plain import HOME_OF_MANAGERS
from services.dashboard.web.portfolio.targets import standing, targets_of
from services.dashboard.web.portfolio.todo import (
    DUE_DAYS,
    DUE_HEADS,
    RENEWAL_DAYS,
    SILENT_HEADS,
    SILENT_WINDOW,
    due_row,
    silent_query,
    silent_row,
)
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.waves import draw_waves
from shared.api.accounts import ListedAccount
from shared.api.follow_ups import FollowUp
from shared.api.questions import ACCOUNTS, FOLLOW_UPS, PORTFOLIO_FUNNEL, WAVES
from shared.api.reach import FunnelGroup
from shared.api.waves import Wave
from shared.http.client import Api

RATE_WINDOW = "90d"
TO_DO = "open,acknowledged,in_progress"
SHOWN, MOST, MOVED, PROMISE_DAYS, MONTHS = 12, 200, 6, 14, 12
DUE = f"Overdue, or due within {DUE_DAYS} days"
PROMISES = f"What you promised to customers, past its date or due within {PROMISE_DAYS} days"
MOVES = "The accounts whose score fell or rose most against the 90 days before"
ASKED = "Whom programmes ask at your accounts next: correct the list, or let it go"
SILENT = f"Accounts that renew within {RENEWAL_DAYS} days, and nobody there answered in 90"


@page(HOME_OF_MANAGERS, "My day", remember=True)
async def my_day(visit: Visit) -> None:
    """Draw the page."""
    Text("h1", "My day")
    Text("p", "Your tasks, your promises and your accounts", "lead")
    mine = _Mine(visit)
    with box("div", "columns"):
        with box("div", "stack"):
            Section(visit, "My tasks", mine.load_due, mine.draw_due, lead=DUE)
        with box("div", "stack"):
            Section(visit, "My accounts that moved", mine.load_moved, mine.draw_moved, lead=MOVES)
            Section(visit, "My people to be asked", mine.load_waves, mine.draw_waves, lead=ASKED)
            Section(visit, "My promises", mine.load_promises, mine.draw_promises, lead=PROMISES)
    Section(visit, "My silent accounts before their renewal", mine.load_silent, mine.draw_silent, lead=SILENT)


@dataclass(frozen=True)
class Tasks:
    """The number of tasks that are due, how many of them are overdue, and the first of them."""

    due: int
    late: int
    first: Listed


class _Mine:
    """The data and drawing of the sections. Every question names the owner: also a person who sees all accounts finds
    only their own here."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._owner = visit.user.email
        self._names = NameLookup()

    async def load_due(self, api: Api) -> Tasks:
        found = await self._tasks(api, due_before=self._in_days(DUE_DAYS))
        late = [task for task in found if task.state == "open" and task.reason_holds and task.due_at < self._visit.now]
        return Tasks(len(found), len(late), await listed(api, self._names, found[:SHOWN]))

    def draw_due(self, tasks: Tasks) -> None:
        if not tasks.due:
            empty(
                "Nothing is due.",
                "Follow-ups open automatically when a customer’s score drops or somebody falls silent.",
            )
            return
        with box("div", "figures"):
            figure("Due", _many(tasks.due), href=address("/follow-ups", view="list", mine="yes", due="week"))
            figure("Overdue", _many(tasks.late), href=address("/follow-ups", view="list", mine="yes", due="late"))
        first = tasks.first
        table(DUE_HEADS, [due_row(task, first.about(task)) for task in first.follow_ups], "My tasks that are due")
        link("All my follow-ups", address("/follow-ups", mine="yes"))

    async def load_promises(self, api: Api) -> Listed:
        found = await self._tasks(api, promised_before=self._in_days(PROMISE_DAYS))
        return await listed(api, self._names, sorted(found, key=_promised_by)[:SHOWN])

    def draw_promises(self, promises: Listed) -> None:
        if not promises.follow_ups:
            empty("No promise is near its date.", "You write a promise down on its follow-up.")
            return
        rows = [_promise_row(task, promises.about(task)) for task in promises.follow_ups]
        table(("Promise", "To", "By", "Follow-up"), rows, "My promises, the next one first")

    async def load_moved(self, api: Api) -> list[ListedAccount]:
        asked = {"owner": self._owner, "window": SILENT_WINDOW, "trend": MONTHS}
        fell, rose = await asyncio.gather(
            api.ask_all(ACCOUNTS, most=MOVED, sort="change", **asked),
            api.ask_all(ACCOUNTS, most=MOVED, sort="-change", **asked),
        )
        falls = [account for account in fell if (account.change or 0) < 0]
        rises = [account for account in rose if (account.change or 0) > 0]
        return falls + rises[::-1]

    def draw_moved(self, accounts: list[ListedAccount]) -> None:
        if not accounts:
            empty("No score of your accounts changed.")
            return
        rows = [_moved_row(account) for account in accounts]
        table(("Account", "NPS", "Change", "A year"), rows, "My accounts that moved, the largest fall first")
        link("All my accounts", address("/accounts", owner=self._owner, sort="change"))

    async def load_silent(self, api: Api) -> list[ListedAccount]:
        asked = silent_query(self._visit.now) | {"owner": self._owner, "window": SILENT_WINDOW, "sort": "renewal_on"}
        found = await api.ask_all(ACCOUNTS, most=MOST, **asked)
        return [account for account in found if not account.removed][:SHOWN]

    def draw_silent(self, accounts: list[ListedAccount]) -> None:
        if not accounts:
            empty("None: somebody answered at each of your accounts that renew soon.")
            return
        rows = [silent_row(account)[:-1] for account in accounts]
        table(SILENT_HEADS[:-1], rows, "My silent accounts before their renewal")

    async def load_waves(self, api: Api) -> tuple[list[Wave], FunnelGroup, float | None]:
        waves = (await api.ask(WAVES, owner=self._owner)).items
        funnel = (await api.ask(PORTFOLIO_FUNNEL, window=RATE_WINDOW, owner=self._owner)).groups[0]
        return waves, funnel, (await targets_of(api)).get(self._owner)

    def draw_waves(self, found: tuple[list[Wave], FunnelGroup, float | None]) -> None:
        waves, funnel, target = found
        asked = funnel.sent_count - funnel.bounced_count
        if asked:
            words = f"In 90 days {wording.grouped(funnel.answered_count)} of {wording.grouped(asked)} asked answered"
            words += f": {wording.share(funnel.response_rate)}"
            if target is not None:
                words += f", target {standing(funnel.response_rate, target)}"
            Text("p", words, "muted")
        draw_waves(waves, self._owner)

    async def _tasks(self, api: Api, **asked: datetime) -> list[FollowUp]:
        return await api.ask_all(FOLLOW_UPS, most=MOST, owner=self._owner, state=TO_DO, **asked)

    def _in_days(self, days: int) -> datetime:
        """A time in so many days, by the full hour: within an hour a section asks the same question."""
        return self._visit.now.replace(minute=0, second=0, microsecond=0) + timedelta(days=days)


def _many(number: int) -> str:
    if number >= MOST:
        return f"{MOST} or more"
    return wording.grouped(number)


def _promised_by(task: FollowUp) -> datetime:
    if task.promise is None:
        return task.due_at
    return task.promise.by


def _promise_row(task: FollowUp, about: str) -> list[Cell]:
    words = wording.NOTHING
    if task.promise is not None:
        words = task.promise.what
    return [
        words,
        partial(Text, "span", about),
        partial(when, _promised_by(task), "ago"),
        partial(link, kind(task.kind), f"/follow-ups/{task.follow_up_id}"),
    ]


def _moved_row(account: ListedAccount) -> list[Cell]:
    name = account.name or account.account_id
    return [
        partial(account_link, account.account_id, name),
        wording.points(account.nps),
        wording.points(account.change),
        partial(spark, account.trend or (), name),
    ]
