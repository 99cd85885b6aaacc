"""The invitation funnel by group, from the counts that coverage is made of too."""

from typing import Any

from services.scorer.domain.funnel import funnel_figures
from services.scorer.domain.reach import NONE_SENT
from services.scorer.store.reading.question import Question
from services.scorer.store.reading.sums import sums
from shared.db.transaction import ReadTx


async def funnel_groups(tx: ReadTx, question: Question) -> list[dict[str, Any]]:
    """`{group, …figures}` by group, values ascending, None last: those in which anybody was asked. Without a split
    always exactly one."""
    counted = await sums(tx, question, "latest", ("invitations",))
    found = {
        values: group.counts.invitations for (_, values), group in counted.items() if group.counts.invitations.sent
    }
    if not question.split:
        found.setdefault((), NONE_SENT)
    ordered = sorted(found, key=lambda values: tuple((value is None, value or "") for value in values))
    return [
        {"group": dict(zip(question.split, values, strict=True))} | funnel_figures(found[values]) for values in ordered
    ]
