"""Owners look at the people of a wave before they are asked: they leave somebody out with a reason, take them in again,
correct an address and add whom nobody has thought of. Who says nothing lets it go."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.outreach.domain.asks import UNSENT, AskChange
from services.outreach.store import people, waves
from services.outreach.store.asks import note_change
from shared.access.caller import Caller
from shared.api.calls import CHANGE_PERSON, PUT_PERSON
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.errors import Conflict, NotFound
from shared.http.client import Api
from shared.ids import stakeholder_of

EXCLUDED: Final = "excluded"
CORRECTED: Final = "the address was corrected"


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody of an account whom the directory lacks; the address is their id."""

    account_id: str
    email: str
    name: str | None = None
    type: str | None = None

    @property
    def stakeholder_id(self) -> str:
        """The id that follows from the address."""
        return stakeholder_of(self.email)


async def exclude(tx: WriteTx, ask_id: UUID, why: str, caller: Caller, now: datetime) -> None:
    """Leave a person out of the wave. Again it changes the reason. Raises `NotFound`, and `Conflict` for one who was
    asked, or will not be anyway."""
    ask = await _held(tx, ask_id, caller)
    if ask["reason"] != EXCLUDED and (ask["state"] not in UNSENT or ask["begun"]):
        raise Conflict("not_to_be_sent", "it is decided already: nobody waits to be asked")
    await waves.set_state(tx, ask_id, AskChange(now, "skipped", EXCLUDED, why, caller.actor))


async def include(tx: WriteTx, ask_id: UUID, caller: Caller, now: datetime) -> None:
    """Take a person in again who was left out. For one who waits it changes nothing. Raises `NotFound`, and `Conflict`
    for one who was not left out, or where the wave is over."""
    ask = await _held(tx, ask_id, caller)
    if ask["state"] in UNSENT:
        return
    if ask["reason"] != EXCLUDED:
        raise Conflict("not_excluded", "nobody has left the person out")
    if ask["latest_at"] is None or now > ask["latest_at"]:
        raise Conflict("too_late", "the wave is over: the person is asked with the next one")
    await waves.set_state(tx, ask_id, AskChange(now, "waiting", None, None, caller.actor))


async def correct(database: Database, api: Api, ask_id: UUID, email: str, caller: Caller, now: datetime) -> None:
    """Give the person of an ask another address in the directory: their mail goes to the one that is current then.
    Raises `NotFound`, `Conflict` for one who was asked, and what the collector raises."""

    async def look(tx: WriteTx) -> dict[str, Any]:
        ask = await _held(tx, ask_id, caller)
        if ask["state"] not in (*UNSENT, "skipped") or ask["begun"]:
            raise Conflict("not_to_be_sent", "it is decided already: nobody waits to be asked")
        return dict(ask)

    ask = await database.retrying(look)
    await api.call(CHANGE_PERSON, {"email": email}, account_id=ask["account_id"], stakeholder_id=ask["stakeholder_id"])

    async def note(tx: WriteTx) -> None:
        await note_change(tx, ask_id, AskChange(now, ask["state"], ask["reason"], CORRECTED, caller.actor))

    await database.retrying(note)


async def add(database: Database, api: Api, person: NewPerson, caller: Caller) -> None:
    """Put a person into the directory; the programme finds them as it finds everybody. Raises `NotFound` for an account
    that the caller does not see, `Conflict` for somebody who is there, and what the collector raises."""
    async with database.read() as tx:
        seen = await people.known_account(tx, person.account_id, caller.owner_email)
    if not seen:
        raise NotFound("account_not_found", "there is no such account")
    body = {"email": person.email, "name": person.name, "type": person.type, "recorded_at": None}
    who = {"account_id": person.account_id, "stakeholder_id": person.stakeholder_id}
    await api.call(PUT_PERSON, body, **who)


async def _held(tx: WriteTx, ask_id: UUID, caller: Caller) -> Any:
    ask = await waves.hold_ask(tx, ask_id, caller.owner_email)
    if ask is None:
        raise NotFound("ask_not_found", "there is no such ask of a programme")
    return ask
