"""Topic context-events: contracts that were renewed or lost, which end what is open about the renewal."""

from collections.abc import Sequence

from services.alerting.handlers.evaluation import EvaluationRequest
from services.alerting.store.facts import add_contract_event
from shared.db.transaction import WriteTx
from shared.events.context import ContextRecorded
from shared.verdicts import NEW, PASSED_OVER, REPEAT, Received, Verdict

DECIDED = ("contract_renewed", "contract_lost")


async def record_contracts(tx: WriteTx, records: Sequence[Received], request: EvaluationRequest) -> Sequence[Verdict]:
    """Record context events; of the other kinds nothing follows here."""
    verdicts = []
    for record in records:
        fact = record.event.data
        if not isinstance(fact, ContextRecorded):
            raise TypeError(f"not a context event: {record.event.name}")
        if fact.kind not in DECIDED:
            verdicts.append(PASSED_OVER)
            continue
        if await add_contract_event(tx, fact.event_id, fact.account_id, fact.kind, fact.at):
            verdicts.append(NEW)
        else:
            verdicts.append(REPEAT)
        request.others.add((fact.account_id, None))
    return verdicts
