"""Whether mails go at all: seen, paused and resumed."""

from pydantic import ConfigDict

from services.outreach.api.links_models import Input, Reason
from services.outreach.api.resources import TheService
from services.outreach.handlers.pauses import pause_sending, resume_sending
from services.outreach.store import pauses as store
from services.outreach.store.pauses import Sending
from shared.api.sending import SendingState
from shared.http.auth import Manager, Reader
from shared.http.routing import Router

router = Router(prefix="/v1/sending", tags=["programmes"])


class Pause(Input):
    """Why no mail is to go."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"reason": "Stocktaking"}]})

    reason: Reason


@router.get("", summary="Whether mails go")
async def get_sending(caller: Reader, service: TheService) -> SendingState:
    """They do not after the database was put back from a copy, until somebody resumes."""
    async with service.database.read() as tx:
        return _view(await store.found(tx), await store.unconfirmed(tx))


@router.post("/pause", summary="Let no mail go")
async def post_pause(body: Pause, caller: Manager, service: TheService) -> SendingState:
    """Of any programme, reminders and other mails included; links stay open. Again it changes nothing."""
    caller.require_all_accounts()
    now = service.clock.now()
    paused = await service.database.retrying(lambda tx: pause_sending(tx, body.reason, caller.actor, now))
    async with service.database.read() as tx:
        return _view(paused, await store.unconfirmed(tx))


@router.post("/resume", summary="Let mails go again")
async def post_resume(caller: Manager, service: TheService) -> SendingState:
    """What a restore left open counts as sent, `unconfirmed`, and is not sent; look at it first. `tellback
    resume-sending` does the same. Again it changes nothing."""
    caller.require_all_accounts()
    now = service.clock.now()
    resumed = await service.database.retrying(lambda tx: resume_sending(tx, caller.actor, now))
    async with service.database.read() as tx:
        return _view(resumed, await store.unconfirmed(tx))


def _view(found: Sending | None, unconfirmed: int) -> SendingState:
    told = dict.fromkeys(("reason", "paused_at", "paused_by", "resumed_at", "resumed_by"))
    if found is not None:
        told = {name: getattr(found, name) for name in told}
    return SendingState.model_validate({**told, "paused": told["reason"] is not None, "unconfirmed": unconfirmed})
