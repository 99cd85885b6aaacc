"""How a score is shown wherever it stands: with its interval, its voices and the people behind it."""

from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.bits import Text, address, bar, box, empty, figure, link

Json = dict[str, Any]
ENOUGH = 10
"""Voices on both sides, below which the scorer calls no change significant."""


def headline(figures: Json, people: dict[str, str]) -> None:
    """NPS, its interval and voices, the change, and the three categories; each leads to its people.

    `people` is the query of the people page for whoever is behind the figure.
    """
    with box("div", "figures"):
        note = " · ".join(
            part for part in (wording.interval(figures), wording.count(figures["stakeholder_count"], "voice")) if part
        )
        figure("NPS", wording.points(figures["nps"]), note=note, href=address("/people", **people), classes="big")
        with box("div", "figure"):
            figure("Against the window before", wording.points(figures["change"]), note=_certainty(figures))
    shares = [
        (
            name,
            figures[f"{name}_percent"] or 0,
            f"{wording.CATEGORY_SIGNS[name]} {wording.percent(figures[f'{name}_percent'])}",
        )
        for name in ("promoter", "passive", "detractor")
    ]
    bar(shares, ", ".join(f"{name}s {share:.0f} %" for name, share, _ in shares))
    with box("div", "figures"):
        for name in ("promoter", "passive", "detractor"):
            text = f"{wording.CATEGORY_SIGNS[name]} {wording.count(figures[f'{name}_count'], name)}"
            link(text, address("/people", **people, category=name))


def _certainty(figures: Json) -> str:
    if figures["change"] is None:
        return "nothing to compare with"
    voices = min(figures["stakeholder_count"], figures["previous"]["stakeholder_count"])
    words = "beyond chance" if figures["significant"] else "within chance" if voices >= ENOUGH else "too few to tell"
    same = figures.get("same_stakeholders")
    if same and same["n"] and same["change"] is not None:
        words += (
            f"; {wording.points(same['change'])} among the {wording.count(same['n'], 'person', 'people')} heard in both"
        )
    return words


def funnel(figures: Json) -> None:
    """From the invitation to the answer: counts, and shares of those sent."""
    sent = figures.get("sent_count")
    if not sent:
        empty("Nobody was asked in this window.", "Invitations are told to the collector by whoever mails them.")
        return
    response_rate = figures["response_rate"] or 0
    reached = sent - (figures["bounced_count"] or 0)
    rows = [
        ("Sent", sent),
        ("Delivered", figures["delivered_count"]),
        ("Opened", figures["opened_count"]),
        ("Answered", round(response_rate * reached)),
        ("Commented", round((figures["comment_rate"] or 0) * reached)),
    ]
    steps([(name, number or 0, f"{number:,}") for name, number in rows], sent)


def steps(rows: list[tuple[str, float, str]], whole: float) -> None:
    """Bars under each other: name, size, text."""
    with box("div", "steps"):
        for name, size, text in rows:
            with box("div", "step"):
                Text("span", name)
                with box("span", "track"):
                    box("span", "fill").style(f"width:{min(100, 100 * size / whole) if whole else 0:.1f}%")
                Text("span", text, "number")
