"""The timeline of an account: category changes of people, context events, and closed follow-ups."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.domain.follow_ups import kind, outcome
from services.dashboard.web.account.view import AccountView, PersonNames
from services.dashboard.web.elements import Cell, Text, box, category_chip, empty, link, person_link, table, when
from services.dashboard.web.section import Section
from shared.api.follow_ups import FollowUp
from shared.api.people import Change
from shared.api.portfolio import Mark
from shared.http.client import Api

SHOWN = 40
EVENT_SIGN = "◇"
Moment = Change | Mark | FollowUp
"""An entry of the timeline: a category change, a context event, or a closed follow-up."""


def place_timeline(view: AccountView) -> None:
    """The section of the timeline."""

    async def load(api: Api) -> tuple[list[Moment], PersonNames]:
        changes, trend, follow_ups = await asyncio.gather(view.changes(api), view.trend(api), view.follow_ups(api))
        moments = timeline(changes, trend.marks, follow_ups)
        return moments, await view.names(api, moments)

    Section(view.visit, "What changed and when", load, _draw)


def timeline(changes: Iterable[Change], marks: Iterable[Mark], follow_ups: Iterable[FollowUp]) -> list[Moment]:
    """All entries, the newest first; of the follow-ups the closed ones."""
    closed = [follow_up for follow_up in follow_ups if follow_up.closed_at]
    moments: list[Moment] = [*changes, *marks, *closed]
    return sorted(moments, key=_at, reverse=True)


def _at(moment: Moment) -> datetime:
    match moment:
        case Change():
            return moment.changed_at
        case Mark():
            return moment.at
        case FollowUp():
            return moment.closed_at or moment.opened_at


def _draw(found: tuple[list[Moment], PersonNames]) -> None:
    moments, names = found
    if not moments:
        empty("Nothing has changed yet.", "Changes of category, events and closed follow-ups appear here.")
        return
    _table(moments[:SHOWN], names)
    if len(moments) > SHOWN:
        with box("details"):
            Text("summary", f"{len(moments) - SHOWN} earlier ones")
            _table(moments[SHOWN:], names)


def _table(moments: list[Moment], names: PersonNames) -> None:
    rows: list[list[Cell]] = [
        [partial(_what, moment), partial(_who, moment, names), partial(when, _at(moment))] for moment in moments
    ]
    table(("What", "Who", "When"), rows, "What changed and when")


def _what(moment: Moment) -> None:
    with box("span"):
        match moment:
            case Change():
                _turn(moment)
            case Mark():
                sort = wording.plain(moment.kind)
                Text("span", f"{EVENT_SIGN} {moment.label or sort}")
                if moment.label:
                    Text("span", f", {sort.lower()}", "muted")
            case FollowUp():
                link(f"{kind(moment.kind)}: follow-up closed", f"/follow-ups/{moment.follow_up_id}")
                Text("span", f", {outcome(moment.outcome or '')}", "muted")


def _turn(change: Change) -> None:
    if change.from_:
        category_chip(change.from_, change.from_score)
        Text("span", " → ")
    category_chip(change.to, change.to_score)
    if not change.from_:
        Text("span", " first answer", "muted")


def _who(moment: Moment, names: PersonNames) -> None:
    person = moment.stakeholder_id
    if person:
        person_link(moment.account_id, person, names.get(person))
    else:
        Text("span", "the account", "muted")
