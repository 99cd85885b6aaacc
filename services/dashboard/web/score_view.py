"""The display of a score on every page: with its interval, its respondents and the people behind it."""

from services.dashboard.domain import wording
from services.dashboard.web.elements import Text, address, box, empty, figure, link, shares
from shared.api.figures import Comparison, Score
from shared.api.reach import FunnelGroup

ENOUGH = 10
"""The least respondents on both sides for a change that the scorer calls significant."""


def headline(figures: Comparison, people: dict[str, str]) -> None:
    """NPS, its interval and respondents, the change, and the three categories; each links to its people. `people` is
    the query of the people page for the people behind the figure."""
    with box("div", "figures"):
        interval = wording.interval(figures.ci_low, figures.ci_high)
        voices = wording.count(figures.stakeholder_count, "respondent")
        note = voices
        if interval:
            note = f"{interval} · {voices}"
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
    """Draw the calculation of the score."""
    return wording.formula(figures.nps, figures.promoter_count, figures.detractor_count, figures.response_count)


def _certainty(figures: Comparison) -> str:
    if figures.change is None or figures.previous is None:
        return "nothing to compare with"
    voices = min(figures.stakeholder_count, figures.previous.stakeholder_count)
    words = _chance(significant=figures.significant, voices=voices)
    same = figures.same_stakeholders
    if same and same.n and same.change is not None:
        both = wording.count(same.n, "respondent")
        words += f"; {wording.points(same.change)} among the {both} who answered in both"
    return words


def _chance(*, significant: bool, voices: int) -> str:
    if significant:
        return "unlikely to be chance"
    if voices >= ENOUGH:
        return "could be chance"
    return "too few respondents to tell"


def funnel(group: FunnelGroup) -> None:
    """The invitation funnel: counts, and each step's share of the step that it comes from."""
    if not group.sent_count:
        empty(*wording.NOBODY_ASKED)
        return
    counts = {
        "Sent": group.sent_count,
        "Delivered": group.delivered_count,
        "Opened": group.opened_count,
        "Begun": group.started_count,
        "Answered": group.answered_count,
    }
    # Not every mailer tells of each step: one that fewer took than answered was told of some only.
    rows = []
    for name, number in counts.items():
        if number and (name == "Sent" or number >= group.answered_count):
            rows.append((name, float(number), wording.grouped(number)))
    steps(rows, group.sent_count)
    rates = {
        "opened": group.open_rate,
        "answered": group.response_rate,
        "wrote a comment": group.comment_rate,
        "asked to be called": group.follow_up_request_rate,
    }
    said = [f"{wording.share(rate)} {words}" for words, rate in rates.items() if rate is not None]
    Text("p", "Of those sent and not bounced " + ", ".join(said) + ".", "muted")
    if group.delivered_count is None:
        Text("p", "No deliveries were reported: links, and many mailers, never say whether they arrived.", "muted")
    if group.withdrawn_count:
        withdrawn = wording.count(group.withdrawn_count, "invitation")
        Text("p", f"{withdrawn} withdrawn before an answer", "muted")
    if group.bounced_count:
        bounced = wording.count(group.bounced_count, "invitation")
        Text("p", f"{bounced} bounced ({wording.share(group.bounce_rate)} of those sent)", "muted")


def _width(size: float, whole: float) -> float:
    """Per cent of the whole, at most all of it."""
    if not whole:
        return 0.0
    return min(100.0, 100 * size / whole)


def steps(rows: list[tuple[str, float, str]], whole: float) -> None:
    """Bars below each other: name, size, text."""
    with box("div", "steps"):
        for name, size, text in rows:
            with box("div", "step"):
                Text("span", name)
                with box("span", "track"):
                    box("span", "fill").style(f"width:{_width(size, whole):.1f}%")
                Text("span", text, "number")
