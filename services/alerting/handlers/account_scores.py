"""Topic account-scores: the newest snapshot of each account is kept. Unless the change was quiet, a message is sent
about it, and the rules are evaluated for the account.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerting.courier.interface import messages
from services.alerting.handlers.evaluation import EvaluationRequest, MessageRequest
from services.alerting.store.accounts import AccountSnapshot, save_snapshots, snapshots_by_id
from shared.db.transaction import WriteTx
from shared.events.scores import AccountScoreChanged
from shared.verdicts import NEW, REPEAT, Received, Verdict

METHOD = "latest"
SHOWN = ("nps", "response_count", "promoter_count", "passive_count", "detractor_count", "change")
"""Of each window a message shows these figures; the scorer's API has all of them."""
COMPARED = ("response_count", "detractor_count")
"""The figures of the window before, by which segments are compared."""


async def record_account_scores(
    tx: WriteTx, records: Sequence[Received], request: EvaluationRequest
) -> Sequence[Verdict]:
    """Record account_score.changed; what is not newer than the stored snapshot is a repeat."""
    snapshots = await snapshots_by_id(tx, {record.event.account_id for record in records})
    verdicts: list[Verdict] = []
    for record in records:
        snapshot, event = snapshot_of(record), record.event
        before = snapshots.get(snapshot.account_id)
        if before is not None and before.sequence >= snapshot.sequence:
            verdicts.append(REPEAT)
            continue
        snapshots[snapshot.account_id] = snapshot
        verdicts.append(NEW)
        if is_quiet(record):
            continue  # the next change that is not quiet tells the figures as they are then
        request.others.add((snapshot.account_id, None))
        change = change_block(before, snapshot)
        request.messages.append(
            MessageRequest(messages.ACCOUNT_SCORE_CHANGED, event.id, event.time, snapshot.account_id, change=change)
        )
    await save_snapshots(tx, snapshots.values())
    return verdicts


def is_quiet(record: Received) -> bool:
    """Whether nobody is to be told because of it."""
    return isinstance(record.event.data, AccountScoreChanged) and record.event.data.quiet


def snapshot_of(record: Received) -> AccountSnapshot:
    """The part of a snapshot that alerting keeps."""
    data = record.event.data
    if not isinstance(data, AccountScoreChanged):
        raise TypeError(f"not a snapshot: {record.event.name}")
    figures = {}
    for window, methods in data.figures.items():
        if METHOD in methods:
            figures[window] = _kept(methods[METHOD])
    return AccountSnapshot(data.account_id, data.sequence, data.account_class, figures, data.computed_at)


def _kept(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that messages show, and of the window before what segments are compared by."""
    kept = {name: figures.get(name) for name in SHOWN}
    previous = figures.get("previous")
    if previous:
        kept["previous"] = {name: previous.get(name) for name in COMPARED}
    return kept


def change_block(before: AccountSnapshot | None, now: AccountSnapshot) -> dict[str, Any]:
    """What moved: class and NPS of each window, before and now, with the figures as they are."""
    class_before = None
    if before is not None:
        class_before = before.account_class
    nps = {}
    for window in sorted(now.figures):
        nps_before, nps_now = _nps(before, window), _nps(now, window)
        if nps_before != nps_now:
            nps[window] = {"from": nps_before, "to": nps_now}
    shown = {}
    for window, figures in now.figures.items():
        shown[window] = {name: figures.get(name) for name in SHOWN}
    return {
        "sequence": now.sequence,
        "method": METHOD,
        "account_class": {"from": class_before, "to": now.account_class},
        "nps": nps,
        "figures": shown,
        "computed_at": now.computed_at.isoformat().replace("+00:00", "Z"),
    }


def _nps(snapshot: AccountSnapshot | None, window: str) -> Any:
    if snapshot is None:
        return None
    return snapshot.figures.get(window, {}).get("nps")
