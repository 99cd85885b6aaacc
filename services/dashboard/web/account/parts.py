"""What the sections of an account's page load, and how its score is drawn."""

import asyncio
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.domain.timeline import Moment, timeline
from services.dashboard.gateways.services import Api, within
from services.dashboard.web import charts
from services.dashboard.web.account.explanation import explained_at
from services.dashboard.web.account.said import load_touchpoints
from services.dashboard.web.bits import Cell, Text, empty, link, shares, table
from services.dashboard.web.figures import headline
from services.dashboard.web.names import Names

Json = dict[str, Any]
COMMENTS, CHANGES, TASKS, MONTHS, QUARTERS = 40, 200, 100, 13, 8
_HEAD = (
    "account_id", "name", "class", "class_rule", "industry", "tier", "region", "renewal_on", "annual_revenue", "owner",
    "sponsor",
)  # fmt: skip


class Parts:
    """The questions of one account's page."""

    def __init__(self, account_id: str, window: str) -> None:
        self._id, self._window = account_id, window
        self._path = within("/v1/accounts", account_id)
        self._names = Names()

    async def load_head(self, api: Api) -> Json:
        found = await api.items("scorer", "/v1/accounts", q=self._id, most=200)
        mine = next((one for one in found if one["account_id"] == self._id), None)
        if mine is None:  # an id that the search does not find by name is told by the figures: 404, or no more
            await api.get("scorer", f"{self._path}/score")
            return {"account_id": self._id, "name": self._id}
        return {name: mine[name] for name in _HEAD}

    async def load_score(self, api: Api) -> dict[str, Json]:
        """The figures of everybody under "", and those of each role."""
        roles = ("", *wording.TYPE_NAMES)
        path = f"{self._path}/score"
        asked = (api.get("scorer", path, window=self._window, stakeholder_type=role) for role in roles)
        return dict(zip(roles, await asyncio.gather(*asked), strict=True))

    def draw_score(self, found: dict[str, Json]) -> None:
        if not found[""]["response_count"]:
            empty("Nobody here has answered in this window.", "Choose a longer one above.")
            return
        headline(found[""], {"account_id": self._id, "window": self._window})
        link("Why: every answer behind it", explained_at(self._id, window=self._window))
        rows = [self._role_row(role, one) for role, one in found.items() if role and one["response_count"]]
        if rows:
            Text("h3", "By role")
            table(("Role", "NPS", "Change", "Voices", ""), rows, "NPS by role")

    def _role_row(self, role: str, one: Json) -> list[Cell]:
        target = explained_at(self._id, window=self._window, stakeholder_type=role)
        return [
            partial(link, f"{wording.TYPE_NAMES[role]}s", target),
            wording.points(one["nps"]),
            wording.points(one["change"]),
            wording.grouped(one["stakeholder_count"]),
            partial(shares, one),
        ]

    async def load_trend(self, api: Api) -> Json:
        found = await api.get("scorer", f"{self._path}/trend", interval="month", points=MONTHS, window=self._window)
        answers = await api.items(
            "scorer", "/v1/responses", account_id=self._id, survey_type="nps", sort="-answered_at"
        )
        first = found["points"][0]["from"]
        return found | {"answers": [one for one in answers if one["answered_at"] >= first]}

    def draw_trend(self, found: Json) -> None:
        def why(point: Json) -> str:
            return explained_at(self._id, window=self._window, as_of=point["to"])

        charts.trend(found["points"], answers=found["answers"], marks=found["marks"], name="This account", why=why)

    async def load_people(self, api: Api) -> list[Json]:
        return await api.items("scorer", f"{self._path}/stakeholders", sort="name")

    async def load_comments(self, api: Api) -> list[Json]:
        found = await api.items("scorer", "/v1/responses", account_id=self._id, sort="-answered_at", most=400)
        said = [one for one in found if one["comment"]][:COMMENTS]
        return await self._names.add_to(api, said)

    async def load_tasks(self, api: Api) -> list[Json]:
        found = await api.items("alerting", "/v1/follow-ups", account_id=self._id, sort="-updated_at", most=TASKS)
        return await self._names.add_to(api, found)

    async def load_timeline(self, api: Api) -> list[Moment]:
        changes, trend, tasks = await asyncio.gather(
            api.items("scorer", "/v1/changes", account_id=self._id, sort="-changed_at", most=CHANGES),
            api.get("scorer", f"{self._path}/trend", interval="quarter", points=QUARTERS),
            api.items("alerting", "/v1/follow-ups", account_id=self._id, state="closed", most=TASKS),
        )
        return timeline(*[await self._names.add_to(api, some) for some in (changes, trend["marks"], tasks)])

    async def load_touchpoints(self, api: Api) -> list[Json]:
        return await load_touchpoints(api, self._id, self._window)

    async def load_benchmark(self, api: Api) -> Json:
        return await api.get("benchmark", within("/v1/comparisons/accounts", self._id), window=self._window)
