"""import.undone: answers that an import has brought count no longer, and those that it changed are as before."""

from collections.abc import Sequence

from services.alerting.domain.answers import AnswerChange
from services.alerting.handlers.evaluation import EvaluationRequest
from services.alerting.handlers.file_rows import FileRows
from services.alerting.handlers.recording import Recorder
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.responses import ResponseBatch, settle
from services.alerting.store import answers as store
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.files import undoing
from shared.events.responses import ImportUndone
from shared.verdicts import CHANGE, REPEAT, Received, Verdict


def undo_imports(resources: Resources) -> Recorder:
    """The recorder of import.undone. It is quiet: follow-ups close, and none opens."""

    async def handle(tx: WriteTx, records: Sequence[Received], request: EvaluationRequest) -> Sequence[Verdict]:
        verdicts = []
        for record in records:
            verdicts.append(await _undo(tx, resources, record.event, request))
        return verdicts

    return handle


async def _undo(tx: WriteTx, resources: Resources, event: Event, request: EvaluationRequest) -> Verdict:
    data = event.data
    if not isinstance(data, ImportUndone):
        raise TypeError(f"not the undoing of an import: {event.name}")
    if not await store.undo_import(tx, data.account_id, data.import_id):
        return REPEAT
    keys = await store.keys_of_import(tx, data.account_id, data.import_id)
    changes = []
    for account_id, response_id in keys:
        change = undoing(data.import_id, response_id, account_id, data.recorded_at)
        changes.append((AnswerChange.of(change, response_id), None))
    await store.add_changes(tx, changes)
    found = await store.answers_by_id(tx, keys)
    before = {key: stored.live for key, stored in found.items()}
    batch = ResponseBatch(found, set(), set(), FileRows(set(), {}))
    for key in found:
        batch.touch(key, event, quietly=True)
    await settle(tx, resources, batch, before, request)
    for stored in batch.answers.values():
        request.others.add((stored.live.account_id, stored.live.stakeholder_id))
    return CHANGE
