"""How a score is shown wherever it stands: with its interval, its voices and the people behind it."""

from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.elements import Text, address, box, empty, figure, link, shares
from shared.api.figures import Comparison, Score

Json = dict[str, Any]
FUNNEL = {"sent": "Sent", "delivered": "Delivered", "opened": "Opened", "started": "Begun", "answered": "Answered"}
RATES = {
    "open_rate": "opened",
    "response_rate": "answered",
    "comment_rate": "wrote a comment",
    "follow_up_request_rate": "asked to be called",
}
ENOUGH = 10
"""Voices on both sides, below which the scorer calls no change significant."""


def headline(figures: Comparison, people: dict[str, str]) -> None:
    """NPS, its interval and voices, the change, and the three categories; each leads to its people.

    `people` is the query of the people page for whoever is behind the figure.
    """
    with box("div", "figures"):
        interval = wording.interval(figures.ci_low, figures.ci_high)
        voices = wording.count(figures.stakeholder_count, "voice")
        note = f"{interval} · {voices}" if interval else voices
        figure("NPS", wording.points(figures.nps), note=note, href=address("/people", **people), classes="big")
        with box("div", "figure"):
            figure("Against the window before", wording.points(figures.change), note=_certainty(figures))
    shares(figures)
    with box("div", "figures"):
        counts = {
            "promoter": figures.promoter_count,
            "passive": figures.passive_count,
            "detractor": figures.detractor_count,
        }
        for name, number in counts.items():
            text = f"{wording.CATEGORY_SIGNS[name]} {wording.count(number, name)}"
            link(text, address("/people", **people, category=name))
    Text("p", formula(figures), "lead")


def formula(figures: Score) -> str:
    """The sum that the score comes from."""
    return wording.formula(figures.nps, figures.promoter_count, figures.detractor_count, figures.response_count)


def _certainty(figures: Comparison) -> str:
    if figures.change is None or figures.previous is None:
        return "nothing to compare with"
    voices = min(figures.stakeholder_count, figures.previous.stakeholder_count)
    words = _chance(significant=figures.significant, voices=voices)
    same = figures.same_stakeholders
    if same and same.n and same.change is not None:
        both = wording.count(same.n, "person", "people")
        words += f"; {wording.points(same.change)} among the {both} heard in both"
    return words


def _chance(*, significant: bool, voices: int) -> str:
    if significant:
        return "beyond chance"
    return "within chance" if voices >= ENOUGH else "too few to tell"


def funnel(figures: Json) -> None:
    """From the invitation to the answer: counts, and the share that each is of the one it comes from."""
    sent = figures["sent_count"]
    if not sent:
        empty("Nobody was asked in this window.", "Invitations are told to the collector by whoever mails them.")
        return
    rows = [(name, figures[f"{code}_count"]) for code, name in FUNNEL.items() if figures[f"{code}_count"]]
    steps([(name, float(number), wording.grouped(number)) for name, number in rows], sent)
    said = [f"{wording.share(figures[code])} {words}" for code, words in RATES.items() if figures[code] is not None]
    Text("p", "Of those sent and not bounced " + ", ".join(said) + ".", "muted")
    if figures["bounced_count"]:
        bounced = wording.count(figures["bounced_count"], "invitation")
        Text("p", f"{bounced} bounced ({wording.share(figures['bounce_rate'])} of those sent)", "muted")


def steps(rows: list[tuple[str, float, str]], whole: float) -> None:
    """Bars under each other: name, size, text."""
    with box("div", "steps"):
        for name, size, text in rows:
            with box("div", "step"):
                Text("span", name)
                with box("span", "track"):
                    box("span", "fill").style(f"width:{min(100, 100 * size / whole) if whole else 0:.1f}%")
                Text("span", text, "number")
