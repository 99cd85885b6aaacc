"""`tellback secrets status`, `rotate` and `retire`: the life of a secret key."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.console import DataOption, JsonOption, WrongUse, as_json, say, table
from services.cli.folder import NO_SERVICES, DataFolder
from services.cli.installation import run_on
from shared.errors import Conflict
from shared.key_ring import is_retired, key_id, secret_keys
from shared.settings import CommonSettings

if TYPE_CHECKING:
    from services.cli.ring.usage import Usage, Use

NOT_SET = "not in the ring"
NO_NEWER_KEY = (
    "the ring has one key, and is set by you: give all services a ring with a newer key before it, then this command"
    " (TELLBACK_SECRET_KEYS=NEW,OLD; docs/operations.md has the order that loses nothing)"
)

app = typer.Typer(
    no_args_is_help=True, help="The secret keys: what stands under which, a newer one, the end of an older."
)


@app.command("status")
def status(data: DataOption = None, json: JsonOption = False) -> None:
    """What stands under which secret key. Keys are named by their ids, which say nothing of them."""
    usage = run_on(data, _usage)
    if json:
        as_json(_plain(usage))
        return
    rows = []
    for entry in usage.ring:
        rows += _rows(key_id(entry), _state(usage, entry), usage.of(key_id(entry)))
    for use in usage.lost():
        if use.key_id not in {key_id(entry) for entry in usage.ring}:
            rows += _rows(use.key_id, NOT_SET, [use])
    table(("key", "", "kind", "count"), rows)
    if usage.older:
        for sentence in usage.signed:
            say(f"older keys have signed {sentence}")
    say(_next_step(usage))


@app.command("rotate")
def rotate(data: DataOption = None, json: JsonOption = False) -> None:
    """Put a newer key before the others, and seal with it what older ones have sealed.

    The key is made where the ring is the data folder's `secret_key`; stop Tellback first. A ring that you set yourself
    has the newer key from you. Interrupted, run it again: it goes on. Older keys stay until `tellback secrets retire`,
    so links in mails go on working.
    """
    from services.cli.ring.keeping import add_key, is_ours

    folder = DataFolder(data)
    added = False
    if is_ours(folder):
        with folder.held(NO_SERVICES):  # services that run would not know the new key
            added = add_key(folder)
    if added and not json:
        say(f"a new key stands first in {folder.secret_key}")
    counts = run_on(data, partial(_seal, json=json))
    if json:
        as_json({"added": added, "sealed": counts})
        return
    if not counts:
        say("nothing was left under older keys")
    say("Older keys still know the links in mails that were sent: `tellback secrets retire` ends them when it is time.")
    say("Back up now: a backup of before needs the older key.")


@app.command("retire")
def retire(
    *,
    now: Annotated[
        bool, typer.Option("--now", help="End links and tokens that older keys have signed, as when a key was stolen.")
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Leave of older keys what recognises erased people and objections, and of those that recognise nobody nothing.

    Refused, with what is left, while anything is sealed with an older key, or while links that it signed may be used.
    """
    from services.cli.ring.keeping import is_ours, replace

    folder = DataFolder(data)
    ours = is_ours(folder)  # the environment names the file once the command has connected
    usage = run_on(data, _usage)
    _require_retirable(usage, now=now)
    ring = usage.retired_ring()
    changed = ring != usage.ring
    if changed and ours:
        replace(folder, usage.ring, ring)
    if json:
        as_json({"changed": changed and ours, "behind_the_newest": ring[1:]})
    elif not changed:
        say("there is nothing to retire")
    elif ours:
        say(f"{folder.secret_key} is written: services forget the older keys when they start next")
    else:
        say("Leave the newest key in TELLBACK_SECRET_KEYS, behind it nothing but this, and start all services again:")
        say(",".join(ring[1:]) or "(nothing)")


def _require_retirable(usage: "Usage", *, now: bool) -> None:
    """Raises `Conflict`, with all that is left under older keys."""
    if not usage.older:
        return
    left = []
    for use in usage.still_sealed():
        left.append(f"{use.count:,} {use.kind} are sealed with {use.key_id}")
    if left or usage.sealing_since is None:
        left.insert(0, "first run `tellback secrets rotate`, which seals anew")
    elif not now:
        left = [f"older keys have signed {sentence}" for sentence in usage.signed]
        if left:
            left.append("--now ends them at once")
    if left:
        raise Conflict("keys_in_use", "; ".join(left))


async def _usage(common: CommonSettings) -> "Usage":
    from services.cli.ring.usage import usage_of
    from shared.db.copies import database_of

    async with database_of(common) as database, database.read() as tx:
        return await usage_of(tx, common.key_ring, datetime.now(UTC))


async def _seal(common: CommonSettings, json: bool) -> dict[str, int]:
    from services.cli.ring.sealing import seal_anew
    from shared.db.copies import database_of

    if len(secret_keys(common.key_ring)) == 1:
        raise WrongUse("no_newer_key", NO_NEWER_KEY)

    def progress(kind: str, count: int) -> None:
        if not json:
            say(f"  {kind}: {count:,} sealed anew")

    async with database_of(common) as database:
        return await seal_anew(database, common.key_ring, datetime.now(UTC), progress)


def _rows(known: str, state: str, uses: "Sequence[Use]") -> list[tuple[str, str, str, int]]:
    if not uses:
        return [(known, state, "", 0)]
    return [(known, state, use.kind, use.count) for use in uses]


def _state(usage: "Usage", entry: str) -> str:
    if entry == usage.ring[0]:
        return "newest"
    if is_retired(entry):
        return "retired"
    return "older"


def _plain(usage: "Usage") -> dict[str, Any]:
    keys = []
    for entry in usage.ring:
        counts = {use.kind: use.count for use in usage.of(key_id(entry))}
        keys.append({"key_id": key_id(entry), "state": _state(usage, entry), "counts": counts})
    lost = [{"key_id": use.key_id, "kind": use.kind, "count": use.count} for use in usage.lost()]
    signed = []
    if usage.older:
        signed = list(usage.signed)
    return {"keys": keys, "lost": lost, "signed": signed, "sealing_since": usage.sealing_since}


def _next_step(usage: "Usage") -> str:
    if usage.lost():
        return "What stands under a key that is not in the ring cannot be read: put that key back, behind the newest."
    if usage.older and (usage.still_sealed() or usage.sealing_since is None):
        return "`tellback secrets rotate` seals anew what older keys have sealed."
    if usage.useless():
        return "`tellback secrets retire` takes out what nothing needs any more."
    return "Nothing is to be done."
