"""The invitation funnel by group, from the counts that coverage is made of too."""

from typing import Any

from services.scorer.domain.funnel import funnel_figures
from services.scorer.domain.invitations import NONE_SENT, InvitationCounts
from services.scorer.store.reading.question import Question, none_last
from services.scorer.store.reading.sums import sums
from shared.db.transaction import ReadTx


async def funnel_groups(tx: ReadTx, question: Question) -> list[dict[str, Any]]:
    """`{group, …figures}` by group, values ascending, None last: those in which anybody was asked. Without a split
    always exactly one."""
    counted = await sums(tx, question, "latest", ("invitations",))
    found: dict[tuple[str | None, ...], InvitationCounts] = {}
    if not question.split:
        found[()] = NONE_SENT
    for (_, values), group in counted.items():
        if group.counts.invitations.sent:
            found[values] = group.counts.invitations
    groups = []
    for values in sorted(found, key=none_last):
        groups.append({"group": dict(zip(question.split, values, strict=True))} | funnel_figures(found[values]))
    return groups
