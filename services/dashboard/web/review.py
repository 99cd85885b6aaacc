"""The review pack of an account, made to print: scores then and now, answers and what was done about them, open
points."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.elements import (
    Cell,
    Text,
    account_address,
    address,
    annual_revenue,
    box,
    category_chip,
    choices,
    class_chip,
    empty,
    facts,
    link,
    tab_title,
    table,
    when,
)
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from shared.api.questions import ACCOUNT_REVIEW
from shared.api.reviews import Deed, Person, ReviewedAccount, ReviewEvent, ReviewPack, Said, ScoreLine
from shared.http.client import Api

AUDIENCES = {"internal": "For us", "client": "For the client"}
PERIODS = {"": "Since the last review", "91": "A quarter", "182": "Half a year", "365": "A year"}


@page("/accounts/{account_id}/review", "Review", bare=True)
async def review(visit: Visit) -> None:
    """Draw the page; the audience and the period are in the address."""
    account_id = visit.path["account_id"]
    audience = visit.chosen("audience", AUDIENCES, "internal")
    days = visit.chosen("days", PERIODS, "")

    async def load(api: Api) -> ReviewPack:
        since = None
        if days:
            since = (visit.now - timedelta(days=int(days))).isoformat()
        pack = await api.ask(ACCOUNT_REVIEW, account_id=account_id, audience=audience, from_=since)
        if days:
            return _by_days(pack)
        return pack

    here = f"{account_address(account_id)}/review"
    with box("div", "buttons noprint"):
        link("Back to the account", account_address(account_id), "button")
        choices("For whom", AUDIENCES, audience, lambda name: address(here, audience=name, days=days))
        choices("Period", PERIODS, days, lambda name: address(here, audience=audience, days=name))
        if visit.user.may("act"):
            link("Share by a link", f"{here}/share", "button")
        Text("button", "Print", "button", type="button", data_print="")
    Section(visit, "", load, partial(_draw, bool(days)), classes="review", subject="account")


def _by_days(pack: ReviewPack) -> ReviewPack:
    """The pack with a period of whole days: a period that ends now would differ at every load."""
    first, last = (at.replace(hour=0, minute=0, second=0, microsecond=0) for at in (pack.period.from_, pack.period.to))
    return pack.model_copy(update={"period": pack.period.model_copy(update={"from_": first, "to": last})})


def _draw(whole_days: bool, pack: ReviewPack) -> None:
    first: date = pack.period.from_
    last: date = pack.period.to
    if whole_days:
        first, last = pack.period.from_.date(), pack.period.to.date()
    title = f"{pack.account.name or pack.account.account_id}: business review"
    tab_title(title)
    Text("h1", title)
    with box("p", "lead"):
        when(first)
        Text("span", " to ")
        when(last)
        if pack.audience == "internal":
            Text("span", " · internal, not for the client")
    if pack.audience == "internal":
        _internal(pack.account)
    Text("h2", "Scores")
    words = wording.WINDOWS[pack.window]
    Text(
        "p", f"NPS over {words}, by the latest answer of each respondent: at the beginning of the time and now", "lead"
    )
    rows = [_score_row(line) for line in pack.scores]
    table(("Who", "Then", "Now", "Change", wording.INTERVAL, "Respondents"), rows, "Scores by role, then and now")
    _turned(pack)
    Text("h2", "You said, we did")
    _said_and_done(pack)
    _deeds(pack, "Promised", pack.promised, "Nothing is promised and still to come.")
    _deeds(pack, "Open points", pack.open_points, "Nothing is open.")
    _events(pack.events)
    Text("h2", "Against the past and the industry")
    Text("p", pack.comparison.sentence)
    for warning in pack.warnings:
        Text("p", f"Keep in mind: {wording.remark(warning)}", "muted")


def _internal(account: ReviewedAccount) -> None:
    rows: dict[str, Cell] = {
        "Class": partial(class_chip, account.class_ or "unknown"),
        "Renews": partial(when, account.renewal_on),
        "Revenue a year": annual_revenue(account.annual_revenue),
        "Owner": _named(account.owner),
        "Sponsor": _named(account.sponsor),
    }
    with box("div", "headfacts"):
        facts(rows)


def _named(person: Person | None) -> str:
    return (person and (person.name or person.email)) or wording.NOTHING


def _score_row(line: ScoreLine) -> list[Cell]:
    who, role = "Everybody", line.stakeholder_type
    if role:
        who = f"{wording.TYPE_NAMES.get(role, role)}s"
    return [
        who,
        wording.points(line.then.nps),
        wording.points(line.now.nps),
        wording.points(line.change),
        wording.between(line.now.ci_low, line.now.ci_high),
        wording.grouped(line.now.stakeholder_count),
    ]


def _turned(pack: ReviewPack) -> None:
    """Draw the changes of category; a person's first answer is none."""
    fell, rose = wording.falls_and_rises(pack.changes)
    if not fell and not rose:
        return
    names = _names(pack)
    Text("h2", "Who changed category")
    rows: list[list[Cell]] = [
        [
            names.get(change.stakeholder_id) or "Somebody of your team",
            f"{change.from_score} → {change.to_score}",
            wording.change_words(change.kind),
            partial(when, change.changed_at),
        ]
        for change in sorted([*fell, *rose], key=lambda change: change.changed_at, reverse=True)
    ]
    table(("Who", "Scores", "Change", "When"), rows, "Who changed category")


def _names(pack: ReviewPack) -> dict[str, str | None]:
    """The names of people who answered."""
    return {said.stakeholder_id: said.name for said in pack.said}


def _said_and_done(pack: ReviewPack) -> None:
    comments = [said for said in pack.said if said.comment]
    done = {deed.response_id: deed for deed in pack.done}
    open_ = {deed.response_id for deed in pack.open_points}
    if comments:
        rows: list[list[Cell]] = []
        for said in comments:
            deed = done.get(said.response_id)
            rows.append([partial(_said, said), _done(deed, said.response_id in open_)])
        table(("You said", "We did"), rows, "What was said, and what was done about it", "said")
    else:
        empty("Nobody wrote a comment in this time.")
    answered = {said.response_id for said in comments}
    others = []
    for deed in pack.done:
        if deed.what_was_done and deed.response_id not in answered:
            others.append(deed.what_was_done)
    if others:
        Text("h3", "What else we did")
        with box("ul"):
            for words in others:
                Text("li", words)


def _said(said: Said) -> None:
    with box("div"):
        with box("p", "muted"):
            if said.category:
                category_chip(said.category, said.score)
            who = said.name or wording.TYPE_NAMES.get(said.type or "", "somebody")
            Text("span", f" {who}, ")
            when(said.answered_at)
        Text("p", said.comment or "")


def _done(deed: Deed | None, still_open: bool) -> str:
    if deed is None:
        if still_open:
            return "We are working on it"
        return wording.NOTHING
    return deed.what_was_done or "Closed"


def _deeds(pack: ReviewPack, title: str, deeds: Sequence[Deed], nothing: str) -> None:
    Text("h2", title)
    if not deeds:
        Text("p", nothing, "muted")
        return
    names = _names(pack)
    with box("ul"):
        for deed in deeds:
            with box("li"):
                _deed(deed, names.get(deed.stakeholder_id or ""))


def _deed(deed: Deed, name: str | None) -> None:
    """A follow-up in words: a promise, our own title of it, or, for a client, only whose answer it is about: not our
    title."""
    if deed.promise:
        Text("span", f"{deed.promise.what}, by ")
        when(deed.promise.by)
    elif deed.title:
        Text("span", f"{deed.title}, due ")
        when(deed.due_at)
    else:
        Text("span", f"Our answer to {name or 'your team'}, open since ")
        when(deed.opened_at)


def _events(events: Sequence[ReviewEvent]) -> None:
    if not events:
        return
    Text("h2", "What happened in this time")
    with box("ul"):
        for event in reversed(events):
            with box("li"):
                when(event.at)
                Text("span", f": {event.label or wording.plain(event.kind)}")
