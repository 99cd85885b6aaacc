"""Objections: addresses that must not be asked, of which only a keyed hash is kept."""

from collections.abc import Mapping
from datetime import datetime

from services.outreach.domain.tokens import AddressHash, Tokens
from services.outreach.store import suppressions
from shared.db.transaction import WriteTx


async def suppress_addresses(
    tx: WriteTx, tokens: Tokens, addresses: Mapping[str, datetime], source: str, now: datetime, actor: str
) -> int:
    """Enter addresses, with when each objected, that are not on the list yet; returns how many those were. What is no
    address is passed over, and so is an objection that has been taken back since, since facts may come again."""
    wanted: dict[bytes, AddressHash] = {}
    said: dict[bytes, tuple[bytes, datetime]] = {}
    for address, at in addresses.items():
        hashes = hashes_of(tokens, address)
        for address_hash in hashes:
            wanted[hashes[0].digest] = hashes[0]
            said[address_hash.digest] = hashes[0].digest, at
    for digest, objection in (await suppressions.objections(tx, said)).items():
        first, at = said[digest]
        if objection.objected or (objection.lifted_at is not None and objection.lifted_at > at):
            wanted.pop(first, None)
    return len(await suppressions.suppress(tx, wanted, source, now, actor))


def hashes_of(tokens: Tokens, address: str | None) -> tuple[AddressHash, ...]:
    """The hashes of an address under each key, the newest first; none for what is no address."""
    if address is None:
        return ()
    try:
        return tokens.address_hashes(address)
    except ValueError:
        return ()
