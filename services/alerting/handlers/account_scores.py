"""Topic account-scores: the newest snapshot of each account is kept, every move is told, and an account that turns
has its renewal looked at.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerting.domain import messages
from services.alerting.domain.payloads import Subject
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.watches import watch_renewals
from services.alerting.handlers.world import World
from services.alerting.store.accounts import Score, save_scores, scores_by_id, subscribed_types
from shared.db.transaction import WriteTx
from shared.events.scores import AccountScoreChanged
from shared.verdicts import NEW, REPEAT, BatchHandler, Received, Verdict

METHOD = "latest"
SHOWN = ("nps", "response_count", "promoter_count", "passive_count", "detractor_count", "change")
"""Of each window a message shows these figures; the scorer's API has all of them."""


COMPARED = ("response_count", "detractor_count")


def record_account_scores(resources: Resources) -> BatchHandler:
    """The handler of account_score.changed; what is not newer than the stored snapshot is a repeat."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        accounts = {record.event.account_id for record in records}
        if await subscribed_types(tx, [messages.ACCOUNT_SCORE_CHANGED]):
            await tx.lock_accounts(accounts)
        known = await scores_by_id(tx, accounts)
        world = await World.read(tx, [(account_id, None) for account_id in accounts], ())
        casework = Casework(resources, world, ())
        verdicts: list[Verdict] = []
        turned: set[str] = set()
        for record in records:
            score = score_of(record)
            before = known.get(score.account_id)
            if before is not None and before.sequence >= score.sequence:
                verdicts.append(REPEAT)
                continue
            known[score.account_id] = score
            account = world.account(score.account_id)
            if account.renewal_on is not None and (before is None or before.account_class != score.account_class):
                turned.add(score.account_id)
            subject = Subject(account, change=change_block(before, score))
            casework.tell(messages.ACCOUNT_SCORE_CHANGED, record.event.id, record.event.time, subject)
            verdicts.append(NEW)
        await save_scores(tx, known.values())
        await casework.save(tx)
        if turned:
            await watch_renewals(tx, resources, turned)
        return verdicts

    return handle


def score_of(record: Received) -> Score:
    """The part of a snapshot that alerting keeps."""
    data = record.event.data
    if not isinstance(data, AccountScoreChanged):
        raise TypeError(f"not a snapshot: {record.event.name}")
    figures = {window: _kept(methods[METHOD]) for window, methods in data.figures.items() if METHOD in methods}
    return Score(data.account_id, data.sequence, data.account_class, figures, data.computed_at)


def _kept(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that messages show, and of the window before what segments are compared by."""
    previous = figures.get("previous")
    kept = {name: figures.get(name) for name in SHOWN}
    return kept | ({"previous": {name: previous.get(name) for name in COMPARED}} if previous else {})


def change_block(before: Score | None, now: Score) -> dict[str, Any]:
    """What moved: class and NPS of each window, before and now, with the figures as they are."""
    windows = sorted(now.figures)
    return {
        "sequence": now.sequence,
        "method": METHOD,
        "account_class": {"from": before.account_class if before else None, "to": now.account_class},
        "nps": {
            window: {"from": _nps(before, window), "to": _nps(now, window)}
            for window in windows
            if _nps(before, window) != _nps(now, window)
        },
        "figures": {window: {name: figures.get(name) for name in SHOWN} for window, figures in now.figures.items()},
        "computed_at": now.computed_at.isoformat().replace("+00:00", "Z"),
    }


def _nps(score: Score | None, window: str) -> Any:
    return score.figures.get(window, {}).get("nps") if score else None
