"""The data of an account's page: seven questions, each asked once for all sections that show a part of its answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from services.dashboard.web.names import Pair, names_of
from services.dashboard.web.section import Visit
from shared.api.accounts import Account
from shared.api.comparisons import AccountComparison
from shared.api.follow_ups import FollowUp
from shared.api.people import Change, Person, Response
from shared.api.portfolio import AccountTrend
from shared.api.questions import (
    ACCOUNT,
    ACCOUNT_COMPARISON,
    ACCOUNT_TREND,
    CHANGES,
    FOLLOW_UPS,
    RESPONSES,
    STAKEHOLDERS,
)
from shared.errors import TellbackError
from shared.http.client import Api

TREND_MONTHS = 24
MOST_COMMENTS, MOST_CHANGES, MOST_FOLLOW_UPS = 40, 200, 200
PersonNames = Mapping[str, str]
"""stakeholder_id → name."""


class OfPerson(Protocol):
    """Anything about a person, or about the account as a whole."""

    @property
    def stakeholder_id(self) -> str | None:
        """The person's id; None for the account as a whole."""


@dataclass(frozen=True)
class AccountView:
    """The questions about an account in a window, for one visit. Every question raises as `Api.ask` does."""

    visit: Visit
    account_id: str
    window: str

    async def account(self, api: Api) -> Account:
        """Attributes, class and figures, also by role and by survey and touchpoint."""
        return await api.ask(ACCOUNT, account_id=self.account_id, window=self.window)

    async def trend(self, api: Api) -> AccountTrend:
        """The last months, with their answers and context events."""
        return await api.ask(
            ACCOUNT_TREND,
            account_id=self.account_id,
            interval="month",
            points=TREND_MONTHS,
            window=self.window,
            answers=True,
        )

    async def people(self, api: Api) -> list[Person]:
        """The people of the account, by name."""
        return await api.ask_all(STAKEHOLDERS, account_id=self.account_id, sort="name")

    async def comments(self, api: Api) -> list[Response]:
        """The latest answers with a comment."""
        asked = {"account_id": self.account_id, "commented": True, "sort": "-answered_at"}
        return await api.ask_all(RESPONSES, most=MOST_COMMENTS, **asked)

    async def changes(self, api: Api) -> list[Change]:
        """The latest changes of category."""
        return await api.ask_all(CHANGES, most=MOST_CHANGES, account_id=self.account_id, sort="-changed_at")

    async def follow_ups(self, api: Api) -> list[FollowUp]:
        """The follow-ups that were changed last, open and closed ones."""
        return await api.ask_all(FOLLOW_UPS, most=MOST_FOLLOW_UPS, account_id=self.account_id, sort="-updated_at")

    async def comparison(self, api: Api) -> AccountComparison:
        """The account against its past and its industry."""
        return await api.ask(ACCOUNT_COMPARISON, account_id=self.account_id, window=self.window)

    async def names(self, api: Api, *lists: Iterable[OfPerson]) -> PersonNames:
        """The names of the people in the lists. While the scorer is away, ids stand for names: follow-ups are worked on
        meanwhile. Only people whom the account does not list are asked for separately."""
        wanted = set()
        for entry in chain(*lists):
            if entry.stakeholder_id:
                wanted.add(entry.stakeholder_id)
        try:
            people = await self.people(api)
        except TellbackError:
            return {}
        known = {person.stakeholder_id: person.name or person.stakeholder_id for person in people}
        missing: list[Pair] = [(self.account_id, stakeholder_id) for stakeholder_id in sorted(wanted - known.keys())]
        others = await names_of(api, missing)
        return known | {str(stakeholder_id): name for (_, stakeholder_id), (_, name) in others.items()}
