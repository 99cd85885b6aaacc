"""The invitation funnel by group, from the counts that coverage is made of too."""

from typing import Any, Final

from services.scorer.domain.funnel import Funnel, funnel_figures
from services.scorer.domain.questions import OF_INVITATION
from services.scorer.store.reading.coverage import invitations_by_group
from services.scorer.store.reading.grouped import Group, Question
from services.scorer.store.reading.grouped_sql import keys, source
from services.scorer.store.reading.pool import conditions
from services.scorer.store.reading.sums import summable, summed
from shared.db.transaction import ReadTx

_REPLIES: Final = ("answered", "commented", "follow_up_requested")
_COUNTS: Final = ("sent", "delivered", "opened", "started", "bounced", *_REPLIES)


async def funnel_groups(tx: ReadTx, question: Question) -> list[dict[str, Any]]:
    """`{group, …figures}` by group, values ascending, None last: those in which anybody was asked. Without a split
    always exactly one."""
    found = await (_added(tx, question) if summable(question) else _counted(tx, question))
    if not question.split:
        found.setdefault((), Funnel())
    ordered = sorted(found, key=lambda values: tuple((value is None, value or "") for value in values))
    return [
        {"group": dict(zip(question.split, values, strict=True))} | funnel_figures(found[values]) for values in ordered
    ]


async def _counted(tx: ReadTx, question: Question) -> dict[tuple[str | None, ...], Funnel]:
    return {
        group[1]: Funnel(*(int(row[name]) for name in _COUNTS))
        for group, row in await invitations_by_group(tx, question)
    }


async def _added(tx: ReadTx, question: Question) -> dict[tuple[str | None, ...], Funnel]:
    """From the snapshots, which know all steps but one: that takes no look at what came back."""
    reached = (await summed(tx, question, "latest", means=False)).coverage.reached
    started = await _started(tx, question)
    return {
        group[1]: Funnel(
            **{name: getattr(reach, name) for name in _COUNTS if name != "started"}, started=started.get(group, 0)
        )
        for group, reach in reached.items()
        if reach.sent
    }


async def _started(tx: ReadTx, question: Question) -> dict[Group, int]:
    joined, named = source(question.split, question.filters, question.owner_email, alias="i")
    group = keys(question.split).removeprefix(", ")
    rows = await tx.all(
        f"select count(*) as n{named} from invitations i{joined}"
        " where i.started_at <= :last and i.sent_at <= :last and i.sent_at > (cast(:borders as timestamptz[]))[1]"
        f"{conditions(question.filters, question.owner_email, of=OF_INVITATION, alias='i')}"
        f"{f' group by {group}' if group else ''}",
        **question.bound(),
    )
    width = range(len(question.split))
    return {(0, tuple(row[f"d{number}"] for number in width)): row["n"] for row in rows}
