"""One account: the score with every answer behind it, who stands where, what they said, what is being done."""

from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api, within
from services.dashboard.web import charts
from services.dashboard.web.account.people import draw_map
from services.dashboard.web.account.said import (
    draw_changes,
    draw_comments,
    draw_tasks,
    draw_touchpoints,
    load_touchpoints,
)
from services.dashboard.web.bits import (
    Text,
    address,
    box,
    category_chip,
    class_chip,
    empty,
    facts,
    link,
    money,
    person_link,
    table,
    when,
)
from services.dashboard.web.figures import headline
from services.dashboard.web.frame import page
from services.dashboard.web.names import Names
from services.dashboard.web.section import Section, Visit
from shared.industries import NAMES as INDUSTRIES

Json = dict[str, Any]
REASONS = {
    "outside_window": "outside the window",
    "superseded": "a later answer of the same person counts",
    "withdrawn": "withdrawn",
    "test": "a test",
    "other_survey": "another survey",
    "filtered": "left out by the filter",
    "conflict": "contradicts another record",
}
COMMENTS = 30
DOTS = "Each dot is an answer, dotted lines are events"
EXPLAIN = "Every answer of the account, and why it counts or not"


@page("/accounts/{account_id}", "Account")
async def account(visit: Visit) -> None:
    """Draw the page."""
    account_id = visit.path["account_id"]
    window = visit.query.get("window", "365d")
    window = window if window in wording.WINDOWS else "365d"
    parts = _Parts(account_id, window)
    Section(visit, "", parts.load_head, parts.draw_head, classes="plain")
    with box("nav", "buttons", aria_label="Window"):
        for name, words in wording.WINDOWS.items():
            main, current = (" main", {"aria_current": "true"}) if name == window else ("", {})
            Text("a", words.capitalize(), f"button{main}", href=f"?window={name}", **current)
        link("Review pack", f"{within('/accounts', account_id)}/review", "button")
    with box("div", "columns"):
        with box("div", "stack"):
            Section(visit, "Score", parts.load_score, parts.draw_score)
            Section(visit, "What they said", parts.load_comments, draw_comments)
            Section(visit, "What changed", parts.load_changes, draw_changes)
        with box("div", "stack"):
            Section(visit, "Trend", parts.load_trend, parts.draw_trend, lead=DOTS)
            Section(visit, "Follow-ups", parts.load_tasks, partial(draw_tasks, account_id))
            Section(visit, "Satisfaction and effort by touchpoint", parts.load_touchpoints, draw_touchpoints)
            Section(visit, "Against the past and the industry", parts.load_benchmark, _draw_benchmark)
            Section(visit, "Which answers count", parts.load_explain, parts.draw_explain, lead=EXPLAIN)
    Section(visit, "Who stands where", parts.load_people, draw_map)


class _Parts:
    """What the sections load and draw."""

    def __init__(self, account_id: str, window: str) -> None:
        self._id, self._window = account_id, window
        self._path = within("/v1/accounts", account_id)
        self._names = Names()

    async def load_head(self, api: Api) -> Json:
        found = await api.items("scorer", "/v1/accounts", q=self._id, most=200)
        mine = next((one for one in found if one["account_id"] == self._id), None)
        if (
            mine is None
        ):  # an id that the search does not find by name is told by the figures: 404, or no more than these
            await api.get("scorer", f"{self._path}/score")
            return {"account_id": self._id, "name": self._id}
        return {name: mine[name] for name in _HEAD}

    def draw_head(self, one: Json) -> None:
        with box("div", "head"), box():
            Text("h1", one["name"] or self._id)
            with box("p", "lead"):
                if one.get("class"):
                    class_chip(one["class"])
                    Text("span", f" {one['class_rule']}")
        if not one.get("class"):
            return
        owner, sponsor = one["owner"] or {}, one["sponsor"] or {}
        with box("div", "headfacts"):
            facts(
                {
                    "Industry": INDUSTRIES.get(one["industry"] or "", one["industry"]) or wording.NOTHING,
                    "Tier, region": f"{wording.plain(one['tier'])}, {one['region'] or wording.NOTHING}",
                    "Renews": partial(when, one["renewal_on"]),
                    "Revenue a year": partial(money, **(one["annual_revenue"] or {"amount": None, "currency": None})),
                    "Owner": owner.get("name") or owner.get("email") or "nobody: follow-ups go to the default owner",
                    "Sponsor": sponsor.get("name") or sponsor.get("email") or wording.NOTHING,
                }
            )

    async def load_score(self, api: Api) -> Json:
        return await api.get("scorer", f"{self._path}/score", window=self._window)

    def draw_score(self, found: Json) -> None:
        if not found["response_count"]:
            empty("Nobody here has answered in this window.", "Choose a longer one above.")
            return
        headline(found, {"account_id": self._id, "window": self._window})
        link("Which answers these are", "#explain")

    async def load_trend(self, api: Api) -> Json:
        found = await api.get("scorer", f"{self._path}/trend", interval="month", points=13, window=self._window)
        answers = await api.items(
            "scorer", "/v1/responses", account_id=self._id, survey_type="nps", sort="-answered_at"
        )
        first = found["points"][0]["from"]
        return found | {"answers": [one for one in answers if one["answered_at"] >= first]}

    def draw_trend(self, found: Json) -> None:
        charts.trend(found["points"], answers=found["answers"], marks=found["marks"], name="This account")

    async def load_people(self, api: Api) -> list[Json]:
        return await api.items("scorer", f"{self._path}/stakeholders", sort="name")

    async def load_comments(self, api: Api) -> list[Json]:
        found = await api.items("scorer", "/v1/responses", account_id=self._id, sort="-answered_at", most=400)
        said = [one for one in found if one["comment"]][:COMMENTS]
        return await self._names.add_to(api, said)

    async def load_tasks(self, api: Api) -> list[Json]:
        found = await api.items("alerting", "/v1/follow-ups", account_id=self._id, sort="-updated_at", most=100)
        return await self._names.add_to(api, found)

    async def load_changes(self, api: Api) -> list[Json]:
        found = await api.items("scorer", "/v1/changes", account_id=self._id, sort="-changed_at", most=60)
        return await self._names.add_to(api, found)

    async def load_touchpoints(self, api: Api) -> list[Json]:
        return await load_touchpoints(api, self._id, self._window)

    async def load_benchmark(self, api: Api) -> Json:
        return await api.get("benchmark", within("/v1/comparisons/accounts", self._id), window=self._window)

    async def load_explain(self, api: Api) -> Json:
        found = await api.get("scorer", "/v1/explain", account_id=self._id, window=self._window)
        both = [one | {"account_id": self._id} for one in [*found["counted"], *found["not_counted"]]]
        return {"answers": await self._names.add_to(api, both), "nps": found["nps"]}

    def draw_explain(self, found: Json) -> None:
        box("span", id="explain")
        counted = [one for one in found["answers"] if "reason" not in one]
        rest = [one for one in found["answers"] if "reason" in one]
        promoters = sum(one["category"] == "promoter" for one in counted)
        detractors = sum(one["category"] == "detractor" for one in counted)
        if counted:
            sum_ = f"100 × ({promoters} promoters − {detractors} detractors) ÷ {len(counted)} answers"
            Text("p", f"{sum_} = {wording.points(found['nps'])}")
        table(("Who", "Score", "When", ""), [_explained(one) for one in counted], "Answers that count")
        with box("details"):
            Text("summary", f"{wording.count(len(rest), 'answer')} that {'does' if len(rest) == 1 else 'do'} not count")
            table(("Who", "Score", "When", "Why not"), [_explained(one) for one in rest], "Answers that do not count")


_HEAD = (
    "account_id", "name", "class", "class_rule", "industry", "tier", "region", "renewal_on", "annual_revenue", "owner",
    "sponsor",
)  # fmt: skip


def _explained(one: Json) -> list[Any]:
    return [
        partial(person_link, one["account_id"], one["stakeholder_id"], one["person"]),
        partial(category_chip, one["category"], one["score"]),
        partial(when, one["answered_at"]),
        REASONS.get(one.get("reason", ""), one.get("reason", "")),
    ]


def _draw_benchmark(found: Json) -> None:
    Text("p", found["sentence"])
    past = found["past"]
    rows = [
        [f"A {name} ago", wording.points(past[name]["nps"]), wording.points(past[name]["change"])]
        for name in ("month", "quarter", "year")
    ]
    if found["benchmark"]:
        source = f"{found['benchmark']['source']} {found['benchmark']['year']}"
        rows.append([source, wording.points(found["benchmark"]["nps"]), wording.points(found["gap"])])
    table(("", "NPS", "We against it"), rows, "Against the own past and the industry")
    for warning in found["warnings"]:
        Text("p", f"Mind: {wording.plain(warning).lower()}", "muted")
    link("All benchmarks", address("/benchmarks"))
