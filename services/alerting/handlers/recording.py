"""Facts before rules: every record of a poll is recorded, topic by topic, then the rules are evaluated once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import groupby

from services.alerting.handlers.evaluation import EvaluationRequest, evaluate
from services.alerting.handlers.resources import Resources
from shared.db.transaction import WriteTx
from shared.verdicts import BatchHandler, Received, Verdict

Recorder = Callable[[WriteTx, Sequence[Received], EvaluationRequest], Awaitable[Sequence[Verdict]]]
"""Writes the facts of consecutive records, whose accounts are locked, and adds to the request whom they concern and
what is to be said of them; returns one verdict a record, in the same order."""


def record_and_evaluate(resources: Resources, recorders: Mapping[str, Recorder]) -> BatchHandler:
    """The handler of events about which no more is decided than what they say: event name -> recorder."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        # Locked first, and all at once: whoever changes whose an id is holds the locks as well.
        await tx.lock_accounts({record.event.account_id for record in records})
        request = EvaluationRequest()
        verdicts: list[Verdict] = []
        for record, group in groupby(records, key=lambda record: recorders[record.event.name]):
            verdicts += await record(tx, list(group), request)
        await evaluate(tx, resources, request)
        return verdicts

    return handle
