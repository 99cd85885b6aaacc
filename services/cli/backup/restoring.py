"""Fills an empty database from a backup, in one transaction: it is all there, or nothing is.

The order of the steps: look at the log; mark the database; migrate it to the revisions of the backup; copy the rows in;
migrate to this release; begin a new timeline; erase again whom the journal names; publish the directory anew; hold what
would leave; settle the cursors; take the mark away; commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.alerting.courier.interface import note_restore
from services.cli.backup.content import BackupError, BackupFolder, Manifest
from services.cli.backup.erasures import erase_again, people
from services.cli.backup.log import Log, Moved, read_log, settle_cursors
from services.cli.backup.taking import Progress
from services.cli.resume import reading_services, schema_of
from services.collector.handlers.republishing import republish
from services.collector.store.erasures import Entry
from services.dashboard.store import keys as people_keys
from services.dashboard.store import sessions, users
from services.outreach.store import pauses
from services.scorer.store import restoring as scores
from shared.access.store import live_keys, revoke_key
from shared.db import copies
from shared.db.migrate import migrate_within
from shared.db.schemas import PACKAGES
from shared.db.transaction import WriteTx
from shared.erasure import key_id_of
from shared.key_ring import key_id, secret_keys
from shared.settings import CommonSettings

ENDS_AT = (1 << 53) - 1
"""The highest number that every receiver of JSON reads exactly."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to restore: the backup, erasures that came after it, and whether every API key is revoked."""

    folder: BackupFolder
    manifest: Manifest
    erasures: Sequence[Entry] = ()
    revoke_keys: bool = False


@dataclass(slots=True)
class Restored:
    """What a restore has done. `keys` (id, name) and `users` are those that are live again."""

    timeline: int = 0
    erased: int = 0
    directory: int = 0
    scores: int = 0
    moved: list[Moved] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    users: list[str] = field(default_factory=list)


async def restore(common: CommonSettings, wish: Wish, progress: Progress) -> Restored:
    """Restore the backup into the empty database that the settings name. Raises `BackupError` where it is not empty or
    a key of the backup is not in the settings; `Halt` for a backup of a newer release; `Unavailable`."""
    _require_keys(common, wish)
    async with copies.database_of(common) as database:
        async with database.write() as tx:
            await _require_empty(tx)
            await copies.begin_filling(tx)
        log = await read_log(common)
        async with database.write() as tx:
            await _fill(tx, wish, progress)
            restored = await _begin_anew(tx, common, wish, log)
            await copies.end_filling(tx)
    return restored


def _require_keys(common: CommonSettings, wish: Wish) -> None:
    ring, needed = common.key_ring, wish.folder.key_ring()
    known = set(map(key_id, ring))
    missing = set(secret_keys(needed)) - set(secret_keys(ring)) | set(map(key_id, needed)) - known
    if missing:
        raise BackupError(
            "secret_key_missing",
            f"keys of the backup are not set: TELLBACK_SECRET_KEYS_FILE={wish.folder.ring} has all of them",
        )
    strange = {key_id_of(entry.subject) for entry in people(wish.erasures)} - known
    if strange:
        raise BackupError(
            "journal_key_missing",
            f"the journal of erasures was written under a secret key that is not set ({', '.join(sorted(strange))}):"
            " its people would not be recognised; put that key, or what `tellback secrets retire` has left of it,"
            f" into TELLBACK_SECRET_KEYS before the keys in {wish.folder.ring}",
        )


async def _require_empty(tx: WriteTx) -> None:
    there = await copies.schemas_there(tx, PACKAGES)
    if there:
        raise BackupError(
            "not_empty",
            f"the database holds an installation already (schema {there[0]}): restore into an empty one, with --data"
            " NEW_FOLDER or another TELLBACK_DATABASE_URL",
        )
    if await copies.others_connected(tx):
        raise BackupError("services_running", "services are connected to the database: stop them first")


async def _fill(tx: WriteTx, wish: Wish, progress: Progress) -> None:
    manifest = wish.manifest
    await migrate_within(tx.connection, manifest.revisions)
    await copies.empty(tx, [table.source for table in manifest.tables])
    for number, table in enumerate(manifest.tables, 1):
        rows = await copies.read(tx, table.source, wish.folder.pieces(table))
        if rows != table.rows:
            raise BackupError("backup_damaged", f"{table.file.path} holds {rows:,} rows instead of {table.rows:,}")
        progress(table.source.label, number, len(manifest.tables))
    await copies.set_counters(tx, manifest.counters)
    await migrate_within(tx.connection)


async def _begin_anew(tx: WriteTx, common: CommonSettings, wish: Wish, log: Log) -> Restored:
    now, restored = datetime.now(UTC), Restored()
    await copies.within(tx, "scorer")
    restored.timeline = max(int(now.timestamp() * 1000), await scores.latest_timeline(tx) + 1)
    if restored.timeline > ENDS_AT:
        raise BackupError("clock", "the clock of this machine is wrong: the restore would begin a timeline beyond all")
    restored.scores = await scores.begin_timeline(tx, restored.timeline)
    restored.erased = await erase_again(tx, wish.erasures, common.key_ring)
    await copies.within(tx, "collector")
    restored.directory = await republish(tx)
    await copies.within(tx, "alerting")
    await note_restore(tx, restored.timeline, now)
    await copies.within(tx, "outreach")
    await pauses.forget_origin(tx)
    await _settle_access(tx, wish, restored, now)
    for service, topics in reading_services().items():
        await copies.within(tx, schema_of(service))
        restored.moved += await settle_cursors(tx, service, topics, log, wish.manifest.topic_prefix)
    return restored


async def _settle_access(tx: WriteTx, wish: Wish, restored: Restored, now: datetime) -> None:
    """Everybody signs in anew; keys and users that are live again are named, since some may have been ended after the
    backup."""
    await copies.within(tx, "dashboard")
    await sessions.end_all(tx)
    for user in await users.all_users(tx):
        if not user.disabled:
            restored.users.append(user.email)
    for key in await live_keys(tx, now):
        restored.keys.append((key.id, key.name))
        if wish.revoke_keys:
            await revoke_key(tx, key.id, now)
    if wish.revoke_keys:
        await people_keys.retire_all(tx, now)
