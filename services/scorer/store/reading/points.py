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
    now = len(question.moments) - 1
    if question.stale is None or now < 1:
        return [(range(len(question.moments)), question)]
    found: list[Part] = []
    rest = set(range(now))
    months = await _months(tx, question, now)
    if months is not None:
        found.append(months)
        rest.difference_update(months[0])
    if rest:
        found.append((sorted(rest), _at(question, sorted(rest), stale=None)))
    found.append(([now], _at(question, [now], stale=question.stale)))
    return found


async def _months(tx: ReadTx, question: Question, now: int) -> Part | None:
    """The points that counts of months are kept of; None if those cannot answer."""
    ends = set(closed_months(question.moments[now]))
    points = [point for point in range(now) if question.moments[point] in ends]
    if not points or question.window not in KEPT_WINDOWS:
        return None
    asked = replace(_at(question, points, stale=()), months=True)
    if not asked.kept:
        return None
    stale = await not_kept(tx, asked.moments[-1])
    if stale is None:
        return None
    return points, replace(asked, stale=stale)


def _at(question: Question, points: Sequence[int], stale: Sequence[str] | None) -> Question:
    return replace(question, moments=[question.moments[point] for point in points], stale=stale)
