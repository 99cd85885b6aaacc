"""The points of a trend by what they are read from: sums of the months that have ended, snapshots, answers."""

from collections.abc import Sequence
from dataclasses import replace

from services.scorer.domain.months import KEPT_WINDOWS, closed_months
from services.scorer.store.months import not_kept
from services.scorer.store.reading.question import Question
from shared.db.transaction import ReadTx

Part = tuple[Sequence[int], Question]
"""The numbers of some points, and the question about them alone."""


async def parts(tx: ReadTx, question: Question) -> list[Part]:
    """The question in parts each of which is answered from one thing. Where `stale` is given, the last of several
    points is now."""
    everything, now = range(len(question.moments)), len(question.moments) - 1
    if question.stale is None or now < 1:
        return [(everything, question)]
    months = await _months(tx, question, now)
    told = set(months[0][0]) if months else set()
    rest = [point for point in everything if point not in told and point != now]
    counted = [(rest, _at(question, rest, stale=None))] if rest else []
    return [*months, *counted, ([now], _at(question, [now], stale=question.stale))]


async def _months(tx: ReadTx, question: Question, now: int) -> list[Part]:
    """The points that sums are kept of, if those can answer."""
    ends = set(closed_months(question.moments[now]))
    points = [point for point in range(now) if question.moments[point] in ends]
    if not points or question.window not in KEPT_WINDOWS:
        return []
    asked = replace(_at(question, points, stale=()), months=True)
    stale = await not_kept(tx, asked.moments[-1]) if asked.kept else None
    return [] if stale is None else [(points, replace(asked, stale=stale))]


def _at(question: Question, points: Sequence[int], stale: Sequence[str] | None) -> Question:
    return replace(question, moments=[question.moments[point] for point in points], stale=stale)
