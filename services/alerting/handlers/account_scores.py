"""Topic account-scores: the newest snapshot of each account is kept, every move is told, and what is open about it is
judged anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerting.courier.doors import messages, subscribed_types
from services.alerting.handlers.judging import Batch, Told, judge
from services.alerting.handlers.resources import Resources
from services.alerting.store.accounts import Score, save_scores, scores_by_id
from shared.db.transaction import WriteTx
from shared.events.scores import AccountScoreChanged
from shared.verdicts import NEW, REPEAT, BatchHandler, Received, Verdict

METHOD = "latest"
SHOWN = ("nps", "response_count", "promoter_count", "passive_count", "detractor_count", "change")
"""Of each window a message shows these figures; the scorer's API has all of them."""
COMPARED = ("response_count", "detractor_count")
"""The figures of the window before, by which segments are compared."""


def record_account_scores(resources: Resources) -> BatchHandler:
    """The handler of account_score.changed; what is not newer than the stored snapshot is a repeat."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        accounts = {record.event.account_id for record in records}
        is_subscribed = bool(await subscribed_types(tx, [messages.ACCOUNT_SCORE_CHANGED]))
        scores = await scores_by_id(tx, accounts)
        batch = Batch(others={(account_id, None) for account_id in accounts})
        verdicts: list[Verdict] = []
        for record in records:
            score, event = score_of(record), record.event
            before = scores.get(score.account_id)
            if before is not None and before.sequence >= score.sequence:
                verdicts.append(REPEAT)
                continue
            scores[score.account_id] = score
            verdicts.append(NEW)
            if is_subscribed:
                change = change_block(before, score)
                told = Told(messages.ACCOUNT_SCORE_CHANGED, event.id, event.time, score.account_id, change=change)
                batch.told.append(told)
        await save_scores(tx, scores.values())
        await judge(tx, resources, batch)
        return verdicts

    return handle


def score_of(record: Received) -> Score:
    """The part of a snapshot that alerting keeps."""
    data = record.event.data
    if not isinstance(data, AccountScoreChanged):
        raise TypeError(f"not a snapshot: {record.event.name}")
    figures = {}
    for window, methods in data.figures.items():
        if METHOD in methods:
            figures[window] = _kept(methods[METHOD])
    return Score(data.account_id, data.sequence, data.account_class, figures, data.computed_at)


def _kept(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that messages show, and of the window before what segments are compared by."""
    kept = {name: figures.get(name) for name in SHOWN}
    previous = figures.get("previous")
    if previous:
        kept["previous"] = {name: previous.get(name) for name in COMPARED}
    return kept


def change_block(before: Score | None, now: Score) -> dict[str, Any]:
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


def _nps(score: Score | None, window: str) -> Any:
    if score is None:
        return None
    return score.figures.get(window, {}).get("nps")
