"""What leaders read each Monday: who moved, what is at risk, who is silent, what is overdue, who praises. Numbers and
accounts, no names of people and nothing that they said."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

SHOWN: Final = 8
"""Accounts or owners that are named in one section."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the mail: a heading, lines, and a page of the dashboard, as label and path."""

    title: str
    lines: Sequence[str]
    page: tuple[str, str]


@dataclass(frozen=True, slots=True)
class OwnerRate:
    """How many of those asked at an owner's accounts have answered, and the share that is to, from 0 to 1. `asked`:
    sent and not bounced."""

    owner: str
    asked: int
    answered: int
    target: float

    @property
    def is_behind(self) -> bool:
        """Whether fewer have answered than were to; nobody is behind where nobody was asked."""
        return self.answered < self.target * self.asked

    def words(self) -> str:
        """`lea@supplier.example: 12 of 30 answered, 40 %, target 55 %`."""
        share = f"{100 * self.answered / self.asked:.0f} %"
        return f"{self.owner}: {self.answered} of {self.asked} answered, {share}, target {100 * self.target:.0f} %"


@dataclass(frozen=True, slots=True)
class Week:
    """What a week brought. `nps` and `before`: the score of 90 days, and of those before; None where nothing counts.
    `fell`, `rose` and `praised` count people by account, `overdue` follow-ups by owner; `at_risk` and `silent` are
    accounts. `names`: account -> its name. `targets`: owners who have a target of response rate, with what was reached
    in 90 days."""

    nps: int | None = None
    before: int | None = None
    respondents: int = 0
    is_significant: bool = False
    fell: Counter[str] = field(default_factory=Counter)
    rose: Counter[str] = field(default_factory=Counter)
    at_risk: Sequence[str] = ()
    silent: Sequence[str] = ()
    overdue: Counter[str] = field(default_factory=Counter)
    praised: Counter[str] = field(default_factory=Counter)
    names: Mapping[str, str] = field(default_factory=dict)
    targets: Sequence[OwnerRate] = ()

    def headline(self) -> str:
        """The score, in one sentence."""
        if self.nps is None:
            return "Nobody has answered in the last 90 days."
        who = counted(self.respondents, "person", "people")
        words = f"The NPS of the last 90 days is {self.nps}, from {who}"
        if self.before is None:
            return f"{words}."
        change = self.nps - self.before
        compared = "as much as in the 90 days before"
        if change:
            compared = f"{abs(change)} {_DIRECTION[change > 0]} than in the 90 days before"
        if change and not self.is_significant:
            compared += ", which may be chance"
        return f"{words}, {compared}."

    def sections(self) -> list[Section]:
        """All five, also where there is nothing to say: an empty one is news. A sixth where there are targets."""
        found = [
            Section("Moved this week", self._moved(), ("Category changes", "/")),
            Section("At risk", self._accounts(self.at_risk), ("All accounts at risk", "/accounts?class=at_risk")),
            Section("Silent", self._accounts(self.silent), ("All silent accounts", "/accounts?class=silent")),
            Section("Overdue", self._overdue(), ("Overdue follow-ups", "/follow-ups?view=list&due=late")),
            Section("Praise", self._praise(), ("Promoters", "/people?category=promoter&window=7d")),
        ]
        if self.targets:
            found.append(Section("Response rates behind their target", self._behind(), ("By owner", "/reach")))
        return found

    def _moved(self) -> list[str]:
        lines = []
        for word, moved in (("Fell", self.fell), ("Rose", self.rose)):
            if moved:
                lines.append(f"{word}: {counted(moved.total(), 'person', 'people')} – {self._named(moved)}")
        return lines or ["Nobody changed between promoter, passive and detractor."]

    def _accounts(self, account_ids: Sequence[str]) -> list[str]:
        lines = [self._name(account_id) for account_id in account_ids[:SHOWN]]
        if len(account_ids) > SHOWN:
            lines.append(f"and {len(account_ids) - SHOWN} more")
        return lines or ["None."]

    def _overdue(self) -> list[str]:
        lines = []
        for owner, count in self.overdue.most_common(SHOWN):
            lines.append(f"{owner}: {counted(count, 'follow-up', 'follow-ups')}")
        rest = self.overdue.total() - sum(count for _, count in self.overdue.most_common(SHOWN))
        if rest:
            lines.append(f"others: {rest}")
        return lines or ["Nothing. Every follow-up was taken on in time."]

    def _praise(self) -> list[str]:
        if not self.praised:
            return ["Nobody gave 9 or 10 and said why."]
        who = counted(self.praised.total(), "person", "people")
        return [f"{who} gave 9 or 10 and said why – {self._named(self.praised)}"]

    def _behind(self) -> list[str]:
        behind = [rate for rate in self.targets if rate.is_behind]
        lines = [rate.words() for rate in behind[:SHOWN]]
        if len(behind) > SHOWN:
            lines.append(f"and {len(behind) - SHOWN} more")
        return lines or ["None: every owner with a target is on it."]

    def _named(self, found: Counter[str]) -> str:
        parts = []
        for account_id, count in found.most_common(SHOWN):
            part = self._name(account_id)
            if count > 1:
                part += f" ({count})"
            parts.append(part)
        if len(found) > SHOWN:
            parts.append(f"{len(found) - SHOWN} more accounts")
        return ", ".join(parts)

    def _name(self, account_id: str) -> str:
        return self.names.get(account_id) or account_id


_DIRECTION: Final = {True: "more", False: "less"}


def counted(number: int, one: str, several: str) -> str:
    """`1 person`, `2 people`."""
    if number == 1:
        return f"1 {one}"
    return f"{number} {several}"
