"""Checks of the ring of secret keys: nothing odd about it, and no key taken out that objections still need."""

from services.cli.checks import Check, failed, ok, warning
from services.outreach.domain.tokens import Tokens
from shared.db.engine import Database
from shared.settings import CommonSettings

RING = "secret keys"
OBJECTIONS = "outreach: objections"


async def ring(common: CommonSettings) -> list[Check]:
    """The keys that the settings name; short and missing ones are refused before this. Objections are left out where
    outreach has never run."""
    checks = [_doubled(common.key_ring)]
    handle = Database.of(common, "outreach", pool_size=1)
    try:
        async with handle.read() as tx:
            if not await tx.scalar("select to_regclass('outreach.suppressions') is not null"):
                return checks
            unknown = await tx.scalar(
                "select count(*) from suppressions where lifted_at is null"
                " and not (key_id = any(cast(:key_ids as text[])))",
                key_ids=list(Tokens(common.key_ring).key_ids),
            )
    finally:
        await handle.close()
    return [*checks, _objections(unknown)]


def _doubled(keys: tuple[str, ...]) -> Check:
    if len(set(keys)) < len(keys):
        fix = "leave each key in once, the newest first"
        return warning(RING, f"of {len(keys)} keys {len(keys) - len(set(keys))} are repeated", fix)
    if len(keys) == 1:
        return ok(RING, "one")
    return ok(RING, f"{len(keys)}: the first is used for what is new")


def _objections(unknown: int) -> Check:
    if not unknown:
        return ok(OBJECTIONS, "each is stored under a key of the ring")
    found = f"{unknown} are stored under a secret key that is not set: whoever made them would be asked again"
    return failed(OBJECTIONS, found, "put the old key back, behind the newest")
