"""Programmes as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping

from shared.api.programmes import DryRun, ProgrammeDocument, ProgrammeState
from shared.db.transaction import ReadTx, WriteTx

_COLUMNS = (
    "programme_id, document, state, reason, revision, dry_run_revision, dry_run_at, begun_on, planned_until,"
    " created_at, created_by, updated_at, updated_by"
)


@dataclass(frozen=True, slots=True)
class StoredProgramme:
    """A programme with what became of it. `reason`: why it is paused. `begun_on`: the day of its first start, from
    which its waves are counted."""

    programme_id: str
    programme: ProgrammeDocument
    state: ProgrammeState
    reason: str | None
    revision: int
    dry_run_revision: int | None
    dry_run_at: datetime | None
    begun_on: date | None
    planned_until: datetime | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


async def add(tx: WriteTx, programme_id: str, programme: ProgrammeDocument, at: datetime, by: str) -> None:
    """Store a new draft."""
    await tx.execute(
        "insert into programmes (programme_id, name, document, created_at, created_by, updated_at, updated_by)"
        " values (:programme_id, :name, cast(:document as jsonb), :at, :by, :at, :by)",
        programme_id=programme_id,
        name=programme.name,
        document=programme.model_dump(mode="json"),
        at=at,
        by=by,
    )


async def change(tx: WriteTx, programme_id: str, programme: ProgrammeDocument, at: datetime, by: str) -> None:
    """Store another document as the next revision: what was planned by the one before is planned anew."""
    await tx.execute(
        "update programmes set name = :name, document = cast(:document as jsonb), revision = revision + 1,"
        " planned_until = null, updated_at = :at, updated_by = :by where programme_id = :programme_id",
        programme_id=programme_id,
        name=programme.name,
        document=programme.model_dump(mode="json"),
        at=at,
        by=by,
    )


async def set_state(tx: WriteTx, programme_id: str, state: str, reason: str | None, at: datetime, by: str) -> None:
    """Start or end it; `pause_running` lets it rest. The first start is the day from which waves are counted."""
    await tx.execute(
        "update programmes set state = cast(:state as text), reason = :reason, updated_at = :at, updated_by = :by,"
        " begun_on = case when cast(:state as text) = 'running' then coalesce(begun_on, cast(:today as date))"
        " else begun_on end,"
        " started_at = case when cast(:state as text) = 'running' then cast(:at as timestamptz) else started_at end"
        " where programme_id = :programme_id",
        programme_id=programme_id,
        state=state,
        reason=reason,
        today=at.date(),
        at=at,
        by=by,
    )


async def pause_running(tx: WriteTx, programme_id: str, reason: str, at: datetime, by: str) -> None:
    """Let it rest if it runs: one that has ended stays ended, and who paused it before has said why."""
    await tx.execute(
        "update programmes set state = 'paused', reason = :reason, updated_at = :at, updated_by = :by"
        " where programme_id = :programme_id and state = 'running'",
        programme_id=programme_id,
        reason=reason,
        at=at,
        by=by,
    )


async def paused_by(tx: ReadTx, actor: str, since: datetime) -> Sequence[tuple[str, datetime]]:
    """(programme_id, since when) of those that rest since somebody let them, not before a moment."""
    rows = await tx.rows(
        "select programme_id, updated_at from programmes where state = 'paused' and updated_by = :actor"
        " and updated_at >= :since order by 1",
        actor=actor,
        since=since,
    )
    return [(programme_id, paused_at) for programme_id, paused_at in rows]


async def started_at(tx: ReadTx, programme_id: str) -> datetime | None:
    """When a programme that runs was started last; None for one that rests."""
    found: datetime | None = await tx.scalar(
        "select started_at from programmes where programme_id = :programme_id and state = 'running'",
        programme_id=programme_id,
    )
    return found


async def note_dry_run(tx: WriteTx, programme_id: str, revision: int, at: datetime) -> None:
    """Somebody has seen what this revision would do."""
    await tx.execute(
        "update programmes set dry_run_revision = :revision, dry_run_at = :at where programme_id = :programme_id",
        programme_id=programme_id,
        revision=revision,
        at=at,
    )


async def keep_forecast(tx: WriteTx, programme_id: str, found: DryRun) -> None:
    """Keep what a programme would do, unless it was changed since."""
    await tx.execute(
        "update programmes set forecast = cast(:forecast as jsonb)"
        " where programme_id = :programme_id and revision = :revision",
        programme_id=programme_id,
        revision=found.revision,
        forecast=found.model_dump(mode="json", by_alias=True),
    )


async def forecast(tx: ReadTx, programme_id: str) -> DryRun | None:
    """What a programme would do, as it was found last."""
    found = await tx.scalar(
        "select forecast from programmes where programme_id = :programme_id", programme_id=programme_id
    )
    if found is None:
        return None
    return DryRun.model_validate(found)


async def forecasts(tx: ReadTx) -> Mapping[str, DryRun]:
    """Of the programmes that ask now, by their ids."""
    rows = await tx.rows(
        "select programme_id, forecast from programmes where state = 'running' and forecast is not null"
    )
    return {programme_id: DryRun.model_validate(found) for programme_id, found in rows}


async def note_planned(tx: WriteTx, programme_id: str, revision: int, until: datetime) -> None:
    """Asks are written up to a moment, by this revision."""
    await tx.execute(
        "update programmes set planned_until = :until where programme_id = :programme_id and revision = :revision",
        programme_id=programme_id,
        revision=revision,
        until=until,
    )


async def find(tx: ReadTx, programme_id: str) -> StoredProgramme | None:
    """A programme by its id."""
    row = await tx.one(
        f"select {_COLUMNS} from programmes where programme_id = :programme_id", programme_id=programme_id
    )
    if row is None:
        return None
    return _stored(row)


async def hold(tx: WriteTx, programme_id: str) -> StoredProgramme | None:
    """A programme that nobody else changes until the end of the transaction."""
    row = await tx.one(
        f"select {_COLUMNS} from programmes where programme_id = :programme_id for update", programme_id=programme_id
    )
    if row is None:
        return None
    return _stored(row)


async def listed(tx: ReadTx, after: tuple[datetime, str] | None, limit: int) -> list[StoredProgramme]:
    """Programmes, the newest first; those `after` a time of creation and an id."""
    condition, position = "", dict[str, Any]()
    if after is not None:
        condition = "where (created_at, programme_id) < (:created_at, :programme_id)"
        position = {"created_at": after[0], "programme_id": after[1]}
    rows = await tx.all(
        f"select {_COLUMNS} from programmes {condition} order by created_at desc, programme_id desc limit :limit",
        limit=limit,
        **position,
    )
    return list(map(_stored, rows))


async def has_asks(tx: ReadTx, programme_id: str) -> bool:
    """Whether the programme has written asks that are still there."""
    return bool(
        await tx.scalar(
            "select exists (select from asks where programme_id = :programme_id)", programme_id=programme_id
        )
    )


async def delete(tx: WriteTx, programme_id: str) -> None:
    """Remove a programme, with what colleagues were or would be told of it."""
    for table in ("notices", "programmes"):
        await tx.execute(f"delete from {table} where programme_id = :programme_id", programme_id=programme_id)


async def running(tx: ReadTx) -> Sequence[StoredProgramme]:
    """Those that ask now."""
    rows = await tx.all(f"select {_COLUMNS} from programmes where state = 'running' order by programme_id")
    return list(map(_stored, rows))


def _stored(row: RowMapping) -> StoredProgramme:
    fields = dict(row)
    return StoredProgramme(programme=ProgrammeDocument.model_validate(fields.pop("document")), **fields)
