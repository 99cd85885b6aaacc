"""Topic context-events: contracts that were renewed or lost, which end what is open about the renewal."""

from collections.abc import Sequence

from services.alerting.handlers.evaluation import EvaluationRequest, evaluate
from services.alerting.handlers.resources import Resources
from services.alerting.store.facts import add_contract_event
from shared.db.transaction import WriteTx
from shared.events.context import ContextRecorded
from shared.verdicts import NEW, PASSED_OVER, REPEAT, BatchHandler, Received, Verdict

DECIDED = ("contract_renewed", "contract_lost")


def record_contracts(resources: Resources) -> BatchHandler:
    """The handler of context events; of the other kinds nothing follows here."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        request, verdicts = EvaluationRequest(), []
        for record in records:
            fact = record.event.data
            if not isinstance(fact, ContextRecorded):
                raise TypeError(f"not a context event: {record.event.name}")
            if fact.kind not in DECIDED:
                verdicts.append(PASSED_OVER)
                continue
            new = await add_contract_event(tx, fact.event_id, fact.account_id, fact.kind, fact.at)
            verdicts.append(NEW if new else REPEAT)
            request.others.add((fact.account_id, None))
        await evaluate(tx, resources, request)
        return verdicts

    return handle
