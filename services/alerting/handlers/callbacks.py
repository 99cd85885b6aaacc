"""A CRM calls back: its user has taken a follow-up on, said something about it, or closed it there."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from services.alerting.courier.interface import secrets_of
from services.alerting.domain.lifecycle import Refusal
from services.alerting.domain.tasks import Task
from services.alerting.gateways.verifier import Signed, is_genuine
from services.alerting.handlers.follow_ups import Action, Command, change_follow_up, find_follow_up
from services.alerting.handlers.resources import Resources
from services.alerting.outbound.gateways.vault import Vault
from services.alerting.store.callbacks import purge_callbacks, take_callback
from shared.access.caller import Caller
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict, Forbidden, Unauthorized

KEPT = timedelta(days=7)
_ALREADY_SO = (Refusal.CLOSED.value, Refusal.IN_PROGRESS.value)


@dataclass(frozen=True, slots=True)
class Callback:
    """A genuine message: from which endpoint, about which follow-up, under which id."""

    endpoint_id: str
    caller: Caller
    message_id: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class CallbackResult:
    """What came of a callback. `changed` is false where the follow-up was in that state already, `repeated` is true
    where the message had come before.
    """

    task: Task
    changed: bool
    repeated: bool


async def verified_callback(
    tx: ReadTx, resources: Resources, vault: Vault, endpoint_id: str, signed: Signed, body: bytes
) -> Callback:
    """The message, if a live secret of the endpoint signed it. Raises `Unauthorized`, the same for an endpoint that
    does not exist, and `Forbidden` while the endpoint is disabled, which only who has its secret is told.
    """
    now = resources.clock.now()
    endpoint = await secrets_of(tx, vault, endpoint_id, now)
    if endpoint is None or not is_genuine(signed, body, endpoint.secrets, now):
        raise Unauthorized("invalid_signature", "a fresh signature with a secret of the endpoint is needed")
    if not endpoint.enabled:
        raise Forbidden("endpoint_disabled", "the endpoint is disabled: enable it, then send this again")
    caller = Caller(endpoint_id, frozenset({"act"}), endpoint.owner_email)
    return Callback(endpoint_id, caller, signed.message_id, hashlib.sha256(body).digest())


async def carry_out(
    tx: WriteTx, resources: Resources, callback: Callback, command: Command, action: Action
) -> CallbackResult:
    """Carry out a callback, once for each message id; a follow-up that is in that state already is no error to a CRM.

    Raises `NotFound`, and `Conflict` for a stale version or another message under the same id.
    """
    task = await find_follow_up(tx, command.follow_up_id, callback.caller.owner_email)
    now = resources.clock.now()
    before = await take_callback(tx, callback.endpoint_id, callback.message_id, callback.digest, task.follow_up_id, now)
    if before is not None:
        if before != callback.digest:
            raise Conflict("id_used_before", "another message came under this webhook-id")
        return CallbackResult(task, changed=False, repeated=True)
    try:
        changed = await change_follow_up(tx, resources, command, action)
    except Conflict as refused:
        if refused.code not in _ALREADY_SO:
            raise
        return CallbackResult(task, changed=False, repeated=False)
    return CallbackResult(changed, changed=changed.version != task.version, repeated=False)


async def purge(tx: WriteTx, resources: Resources) -> int:
    """Delete old call-backs; returns how many."""
    return await purge_callbacks(tx, resources.clock.now() - KEPT)
