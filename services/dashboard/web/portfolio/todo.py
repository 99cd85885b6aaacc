"""Work to be done: people who moved, follow-ups that are due, the closed loop, accounts silent before their renewal."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from services.dashboard.domain import wording
from services.dashboard.domain.follow_ups import kind
from services.dashboard.web.elements import (
    Cell,
    Text,
    account_link,
    address,
    annual_revenue,
    box,
    category_chip,
    class_chip,
    empty,
    figure,
    link,
    person_link,
    severity_chip,
    table,
    when,
)
from services.dashboard.web.follow_ups.listing import OPEN, Listed, listed, load_own_first
from services.dashboard.web.follow_ups.loop import draw_figures
from services.dashboard.web.names import NameBook, NameLookup, pair_of
from services.dashboard.web.section import Visit
from shared.api.accounts import ListedAccount
from shared.api.follow_ups import FollowUp, LoopGroup
from shared.api.people import Change
from shared.api.questions import ACCOUNTS, CHANGES, FOLLOW_UP_SUMMARY
from shared.http.client import Api

TIERS = ("premium", "key")
MOVED_DAYS, DUE_DAYS, LOOP_DAYS, RENEWAL_DAYS, SILENT_WINDOW = 30, 7, 90, 180, "90d"
SHOWN, SHOWN_SILENT, MOST_MOVES, MOST_DUE, MOST_SILENT = 8, 20, 200, 200, 40
DUE_HEADS = ("Follow-up", "About", "Severity", "Due")
SILENT_HEADS = ("Account", "Class", "Renews", "Annual revenue", "Tier", "Asked", "Owner")
MOVED = f"Changes of category in {MOVED_DAYS} days"
DUE = f"Open, and due within {DUE_DAYS} days"
SILENT = f"Key and premium accounts that renew within {RENEWAL_DAYS} days, and nobody there answered in 90"


@dataclass(frozen=True)
class Move:
    """People who moved in one direction: how many (or more), the newest changes, and their names."""

    title: str
    category: str
    people: int
    more: bool
    changes: list[Change]
    names: NameBook


@dataclass(frozen=True)
class Due:
    """The numbers of due, overdue and one's own follow-ups, in words, and the first of them."""

    due: str
    late: str
    mine: str
    first: Listed


class TodoSections:
    """The data and drawing of the sections about work to be done."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._names = NameLookup()

    async def load_moves(self, api: Api) -> list[Move]:
        since = self._full_hour() - timedelta(days=MOVED_DAYS)
        changes = await api.ask_all(CHANGES, most=MOST_MOVES, since=since.isoformat(), sort="-changed_at")
        fell, rose = wording.falls_and_rises(changes)
        names = await self._names.of(api, map(pair_of, fell[:SHOWN] + rose[:SHOWN]))
        more = len(changes) == MOST_MOVES
        return [
            Move("Fell", "detractor", _people(fell), more, fell[:SHOWN], names),
            Move("Rose", "promoter", _people(rose), more, rose[:SHOWN], names),
        ]

    def draw_moves(self, moves: list[Move]) -> None:
        for move in moves:
            if not move.changes:
                Text("h3", move.title)
                Text("p", "Nobody.", "muted")
                continue
            people = wording.count(move.people, "respondent")
            if move.more:
                people += " or more"
            Text("h3", f"{move.title}: {people}")
            rows = [_move_row(change, move.names) for change in move.changes]
            table(("Who", "Account", "Change", "When"), rows, move.title)
            if move.people > len(rows):
                words = f"All {move.category}s who answered in {MOVED_DAYS} days"
                link(words, address("/people", category=move.category, window=f"{MOVED_DAYS}d"))

    async def load_due(self, api: Api) -> Due:
        before = self._full_hour() + timedelta(days=DUE_DAYS)
        email = self._visit.user.email
        follow_ups = await load_own_first(api, email, MOST_DUE, state=",".join(OPEN), due_before=before.isoformat())
        late = [due for due in follow_ups if due.state == "open" and due.due_at < self._visit.now]
        mine = [due for due in follow_ups if due.owner.email == email]
        first = await listed(api, self._names, follow_ups[:SHOWN])
        return Due(_many(len(follow_ups)), _many(len(late)), _many(len(mine)), first)

    def draw_due(self, due: Due) -> None:
        first = due.first
        if not first.follow_ups:
            empty("Nothing is due.", "Follow-ups open automatically when a score drops.")
            return
        with box("div", "figures"):
            figure("Due", due.due, href=address("/follow-ups", view="list", due="week"))
            figure("Overdue", due.late, href=address("/follow-ups", view="list", due="late"))
            figure("Mine", due.mine, href=address("/follow-ups", mine="yes"))
        rows = [due_row(follow_up, first.about(follow_up)) for follow_up in first.follow_ups]
        table(DUE_HEADS, rows, "Follow-ups due next")
        link("All follow-ups", "/follow-ups")

    async def load_loop(self, api: Api) -> LoopGroup:
        since = self._full_hour() - timedelta(days=LOOP_DAYS)
        summary = await api.ask(FOLLOW_UP_SUMMARY, opened_since=since.isoformat())
        return summary.groups[0]

    def draw_loop(self, loop: LoopGroup) -> None:
        draw_figures(loop)
        link("By kind, owner and root cause", address("/follow-ups", view="loop"))

    async def load_silent(self, api: Api) -> list[ListedAccount]:
        asked = silent_query(self._visit.now) | {"window": SILENT_WINDOW, "sort": "renewal_on"}
        by_tier = await asyncio.gather(*(api.ask_all(ACCOUNTS, most=MOST_SILENT, tier=tier, **asked) for tier in TIERS))
        accounts = [account for account in chain.from_iterable(by_tier) if not account.removed]
        return sorted(accounts, key=lambda account: str(account.renewal_on))[: SHOWN_SILENT + 1]

    def draw_silent(self, accounts: list[ListedAccount]) -> None:
        if not accounts:
            empty("None: somebody answered at every key and premium account that renews soon.")
            return
        rows = [silent_row(account) for account in accounts[:SHOWN_SILENT]]
        table(SILENT_HEADS, rows, "Silent accounts before their renewal")
        if len(accounts) > SHOWN_SILENT:
            with box("p", "figures"):
                for tier in TIERS:
                    query = silent_query(self._visit.now) | {"tier": tier, "sort": "renewal_on"}
                    link(f"All {tier} ones", address("/accounts", **query))

    def _full_hour(self) -> datetime:
        """The beginning of this hour: within an hour a section asks the same question, so that its answers can be
        compared."""
        return self._visit.now.replace(minute=0, second=0, microsecond=0)


def silent_query(now: datetime) -> dict[str, str]:
    """The query for accounts that renew soon and where nobody answered."""
    today = now.date()
    last = today + timedelta(days=RENEWAL_DAYS)
    return {"renews_from": today.isoformat(), "renews_to": last.isoformat(), "answered": "false"}


def _many(number: int) -> str:
    if number >= MOST_DUE:
        return f"{MOST_DUE} or more"
    return wording.grouped(number)


def _people(changes: Sequence[Change]) -> int:
    return len({pair_of(change) for change in changes})


def _move_row(change: Change, names: NameBook) -> list[Cell]:
    pair = pair_of(change)
    return [
        partial(person_link, change.account_id, change.stakeholder_id, names.person(pair)),
        partial(account_link, change.account_id, names.account(pair)),
        partial(_scores, change),
        partial(when, change.changed_at, "ago"),
    ]


def _scores(change: Change) -> None:
    with box("span"):
        category_chip(change.from_, change.from_score)
        Text("span", " → ")
        category_chip(change.to, change.to_score)


def due_row(follow_up: FollowUp, about: str) -> list[Cell]:
    """The row of a follow-up under `DUE_HEADS`."""
    return [
        partial(link, kind(follow_up.kind), f"/follow-ups/{follow_up.follow_up_id}"),
        partial(Text, "span", about),
        partial(severity_chip, follow_up.severity),
        partial(when, follow_up.due_at, "ago"),
    ]


def silent_row(account: ListedAccount) -> list[Cell]:
    """The row of an account under `SILENT_HEADS`."""
    owner, coverage = wording.NOTHING, account.coverage
    if account.owner and account.owner.name:
        owner = account.owner.name
    return [
        partial(account_link, account.account_id, account.name),
        partial(class_chip, account.class_),
        partial(when, account.renewal_on),
        annual_revenue(account.annual_revenue),
        wording.plain(account.tier),
        f"{coverage.asked} of {wording.count(coverage.known, 'person', 'people')}",
        owner,
    ]
