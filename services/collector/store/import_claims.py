"""Leases on import jobs: one process works off a job, and another goes on where it was killed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.db.transaction import WriteTx

LEASE = timedelta(seconds=30)
"""How long a claimed job stays one process's own without progress."""
MAX_ATTEMPTS = 3
"""Claims without any progress, after which a job is given up."""
REST = timedelta(seconds=2)
"""How long a job that failed is left alone, so that others get their turn."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What one step of a job adds."""

    rows_read: int
    taken: int
    skipped: int
    bad: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is one process's own. `attempts`: claims since it last got on, this one included."""

    import_id: UUID
    claim_id: UUID
    attempts: int


async def claim(tx: WriteTx, claim_id: UUID, now: datetime) -> Claim | None:
    """Take the oldest job that is free: new, or left by a process that died. The job itself is read
    later, so that a job that cannot be read holds up no other."""
    row = await tx.one(
        "update imports set state = 'running', claimed_by = :claim_id, lease_until = :lease_until,"
        " started_at = coalesce(started_at, :now), attempts = attempts + 1"
        " where import_id = (select import_id from imports where state in ('queued', 'running')"
        " and (lease_until is null or lease_until < :now) order by created_at limit 1 for update skip locked)"
        " returning import_id, attempts",
        claim_id=claim_id,
        lease_until=now + LEASE,
        now=now,
    )
    if row is None:
        return None
    return Claim(row["import_id"], claim_id, row["attempts"])


async def advance(tx: WriteTx, import_id: UUID, claim_id: UUID, step: Progress, now: datetime) -> bool:
    """Add a step and renew the claim; False when the job belongs to somebody else by now."""
    touched = await tx.execute(
        "update imports set rows_read = rows_read + :rows_read, taken = taken + :taken, skipped = skipped + :skipped,"
        " bad = bad + :bad, lease_until = :lease_until, attempts = 0"
        " where import_id = :import_id and claimed_by = :claim_id",
        import_id=import_id,
        claim_id=claim_id,
        rows_read=step.rows_read,
        taken=step.taken,
        skipped=step.skipped,
        bad=step.bad,
        lease_until=now + LEASE,
    )
    return touched == 1


async def release(tx: WriteTx, claimed: Claim) -> None:
    """Give a job back as if it had not been claimed, so that another process goes on at once."""
    await tx.execute(
        "update imports set claimed_by = null, lease_until = null, attempts = greatest(0, attempts - 1)"
        " where import_id = :import_id and claimed_by = :claim_id",
        import_id=claimed.import_id,
        claim_id=claimed.claim_id,
    )


async def let_rest(tx: WriteTx, claimed: Claim, now: datetime, *, counts: bool) -> None:
    """Give a job back over which something failed, so that others get their turn: after a rest somebody tries once
    more. `counts` says whether the try counts against the file."""
    attempts = claimed.attempts
    if not counts:
        attempts -= 1
    await tx.execute(
        "update imports set claimed_by = null, lease_until = :until, attempts = :attempts"
        " where import_id = :import_id and claimed_by = :claim_id",
        until=now + REST,
        attempts=attempts,
        import_id=claimed.import_id,
        claim_id=claimed.claim_id,
    )


async def finish(tx: WriteTx, claimed: Claim, now: datetime, error: tuple[str, str] | None = None) -> None:
    """End a job, with `error` (code, detail) as failed; the file and what was noted for it go."""
    state, code, detail = "done", None, None
    if error is not None:
        state, code, detail = "failed", *error
    ended = await tx.execute(
        "update imports set state = :state, finished_at = :now, error_code = :code, error_detail = :detail,"
        " claimed_by = null, lease_until = null where import_id = :import_id and claimed_by = :claim_id",
        state=state,
        now=now,
        code=code,
        detail=detail,
        import_id=claimed.import_id,
        claim_id=claimed.claim_id,
    )
    if ended:
        await tx.execute("delete from import_pieces where import_id = :import_id", import_id=claimed.import_id)
        await tx.execute("delete from import_occurrences where import_id = :import_id", import_id=claimed.import_id)
