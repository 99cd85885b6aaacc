"""The invitation funnel by group, from the counts that coverage is made of too."""

from typing import Any, Final

from services.scorer.domain.funnel import Funnel, funnel_figures
from services.scorer.store.reading.coverage import invitations_by_group
from services.scorer.store.reading.grouped import Question
from shared.db.transaction import ReadTx

_COUNTS: Final = (
    *("sent", "delivered", "opened", "started"),
    *("bounced", "answered", "commented", "follow_up_requested"),
)


async def funnel_groups(tx: ReadTx, question: Question) -> list[dict[str, Any]]:
    """`{group, …figures}` by group, values ascending, None last: those in which anybody was asked. Without a split
    always exactly one."""
    found = {
        group[1]: Funnel(*(int(row[name]) for name in _COUNTS))
        for group, row in await invitations_by_group(tx, question)
    }
    if not question.split:
        found.setdefault((), Funnel())
    ordered = sorted(found, key=lambda values: tuple((value is None, value or "") for value in values))
    return [
        {"group": dict(zip(question.split, values, strict=True))} | funnel_figures(found[values]) for values in ordered
    ]
