"""One account: the score with every answer behind it, who stands where, what they said, what is being done."""

from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import within
from services.dashboard.web.account.parts import Parts
from services.dashboard.web.account.people import draw_map
from services.dashboard.web.account.said import draw_comments, draw_tasks, draw_touchpoints
from services.dashboard.web.account.timeline import draw_timeline
from services.dashboard.web.bits import Text, address, box, class_chip, facts, link, money, table, when
from services.dashboard.web.follow_ups.opening import opening
from services.dashboard.web.frame import page
from services.dashboard.web.section import Section, Visit
from shared.industries import NAMES as INDUSTRIES

Json = dict[str, Any]
DOTS = "Each dot is an answer, dotted lines are events"


@page("/accounts/{account_id}", "Account", charts=True)
async def account(visit: Visit) -> None:
    """Draw the page."""
    account_id = visit.path["account_id"]
    window = visit.query.get("window", "365d")
    window = window if window in wording.WINDOWS else "365d"
    parts = Parts(account_id, window)
    Section(visit, "", parts.load_head, partial(_draw_head, account_id), classes="plain")
    with box("div", "buttons"):
        with box("nav", "buttons", aria_label="Window"):
            for name, words in wording.WINDOWS.items():
                main, current = (" main", {"aria_current": "true"}) if name == window else ("", {})
                Text("a", words.capitalize(), f"button{main}", href=f"?window={name}", **current)
        link("Review pack", f"{within('/accounts', account_id)}/review", "button")
        opening(visit, account_id)
    with box("div", "columns"):
        with box("div", "stack"):
            Section(visit, "Score", parts.load_score, parts.draw_score)
            Section(visit, "What they said", parts.load_comments, draw_comments)
        with box("div", "stack"):
            Section(visit, "Trend", parts.load_trend, parts.draw_trend, lead=DOTS)
            Section(visit, "Follow-ups", parts.load_tasks, partial(draw_tasks, account_id))
            touchpoints = partial(draw_touchpoints, account_id, window)
            Section(visit, "Satisfaction and effort by touchpoint", parts.load_touchpoints, touchpoints)
    with box("div", "stack"):
        Section(visit, "Who stands where", parts.load_people, draw_map)
        with box("div", "columns"):
            Section(visit, "What changed and when", parts.load_timeline, draw_timeline)
            Section(visit, "Against the past and the industry", parts.load_benchmark, _draw_benchmark)


def _draw_head(account_id: str, one: Json) -> None:
    with box("div", "head"), box():
        Text("h1", one["name"] or account_id)
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
    table(("Compared with", "NPS", "Difference"), rows, "Against the own past and the industry")
    for warning in found["warnings"]:
        Text("p", f"Keep in mind: {wording.plain(warning).lower()}", "muted")
    link("All benchmarks", address("/benchmarks"))
