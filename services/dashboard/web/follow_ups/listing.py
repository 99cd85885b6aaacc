"""Lists of follow-ups: one's own before all others, also where there are more than a page shows."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from services.dashboard.domain import follow_ups as told
from services.dashboard.web.names import NameBook, NameLookup, pair_of
from shared.api.follow_ups import FollowUp
from shared.api.questions import FOLLOW_UPS
from shared.http.client import Api

OPEN = ("open", "acknowledged", "in_progress", "snoozed")
MOST = 400


@dataclass(frozen=True)
class Listed:
    """Follow-ups with the names of their accounts and people."""

    follow_ups: list[FollowUp]
    names: NameBook

    def about(self, follow_up: FollowUp) -> str:
        """The subject of a follow-up in words."""
        pair = pair_of(follow_up)
        return told.about(self.names.person(pair), self.names.account(pair))


async def listed(api: Api, names: NameLookup, follow_ups: list[FollowUp]) -> Listed:
    """The follow-ups with names."""
    return Listed(follow_ups, await names.of(api, map(pair_of, follow_ups)))


async def load_own_first(api: Api, email: str, most: int = MOST, **query: Any) -> list[FollowUp]:
    """The first `most` follow-ups in the order that was asked for; before them one's own, the first `most` of these as
    well."""
    asked = [query]
    if "@" in email and not query.get("owner"):
        asked = [{**query, "owner": email}, query]
    lists = await asyncio.gather(*(api.ask_all(FOLLOW_UPS, most=most, **question) for question in asked))
    once = {follow_up.follow_up_id: follow_up for follow_up in chain.from_iterable(lists)}
    return own_first(once.values(), email)


def own_first(follow_ups: Iterable[FollowUp], email: str) -> list[FollowUp]:
    """The follow-ups of `email` before those of others, each in the order they had."""
    return sorted(follow_ups, key=lambda follow_up: follow_up.owner.email != email)


def owner_of(follow_up: FollowUp) -> str:
    """The owner of a follow-up, in words."""
    return follow_up.owner.name or follow_up.owner.email or "nobody"
