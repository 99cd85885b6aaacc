"""Checks of the ring of secret keys: nothing stands under a key that is not in it, and no key is in it for nothing."""

from datetime import UTC, datetime

from services.cli.checks import Check, failed, ok, warning
from services.cli.ring.usage import Usage, usage_of
from shared.db.copies import database_of
from shared.key_ring import key_id
from shared.settings import CommonSettings

RING = "secret keys"
STORED = "secret keys: what they made"


async def ring(common: CommonSettings) -> list[Check]:
    """The keys that the settings name; wrong and missing ones are refused before this."""
    async with database_of(common) as database, database.read() as tx:
        usage = await usage_of(tx, common.key_ring, datetime.now(UTC))
    return [_entries(usage), _stored(usage)]


def _entries(usage: Usage) -> Check:
    useless = ", ".join(map(key_id, usage.useless()))
    if useless:
        return warning(RING, f"nothing needs {useless} any more", "`tellback secrets retire` takes it out")
    if len(usage.ring) == 1:
        return ok(RING, "one")
    return ok(RING, f"{len(usage.ring)}: the first is used for what is new")


def _stored(usage: Usage) -> Check:
    lost = usage.lost()
    if lost:
        found = [f"{use.count} {use.kind} under {use.key_id}" for use in lost]
        return failed(
            STORED,
            f"not in the ring is the key of {', '.join(found)}: what is sealed cannot be opened, and whoever objected"
            " or was erased is not recognised",
            "put the old key back, behind the newest; `tellback secrets status` names them",
        )
    if usage.still_sealed():
        return warning(STORED, "some of it is sealed with an older key", "`tellback secrets rotate` seals it anew")
    return ok(STORED, "each of it is known by a key of the ring")
