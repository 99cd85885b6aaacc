"""Leases on import jobs: one process works on a job; when it dies, the lease expires and another one resumes the
job."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.db.transaction import WriteTx

LEASE = timedelta(seconds=30)
"""How long a claim lasts without progress."""
MAX_ATTEMPTS = 3
"""Claims without progress after which a job is given up."""
_CLAIMING = 0x7E1B
"""The lock under which a job is claimed."""
REST = timedelta(seconds=2)
"""How long a failed job pauses, so that others get their turn."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of one step of a job."""

    rows_read: int
    taken: int
    skipped: int
    bad: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed job. `attempts`: claims since the last progress, this one included."""

    import_id: UUID
    claim_id: UUID
    attempts: int


async def claim(tx: WriteTx, claim_id: UUID, now: datetime) -> Claim | None:
    """Claim the oldest free job: a new one, or one whose lease has expired. The job itself is read later, so that a job
    that cannot be read blocks no other. Of the files of responses one is read at a time, so that what a later file says
    comes after what an earlier one has said."""
    await tx.execute("select pg_advisory_xact_lock(:lock)", lock=_CLAIMING)
    row = await tx.one(
        "update imports set state = 'running', claimed_by = :claim_id, lease_until = :lease_until,"
        " started_at = coalesce(started_at, :now), attempts = attempts + 1"
        " where import_id = (select imports.import_id from imports where state in ('queued', 'running')"
        " and (lease_until is null or lease_until < :now) and not (kind = 'responses' and exists (select 1"
        " from imports o where o.kind = 'responses' and o.import_id <> imports.import_id and o.state = 'running'"
        " and (o.rows_read > 0 or o.lease_until >= :now and o.claimed_by is not null)))"
        " order by created_at limit 1 for update skip locked)"
        " returning import_id, attempts",
        claim_id=claim_id,
        lease_until=now + LEASE,
        now=now,
    )
    if row is None:
        return None
    return Claim(row["import_id"], claim_id, row["attempts"])


async def advance(tx: WriteTx, import_id: UUID, claim_id: UUID, step: Progress, now: datetime) -> bool:
    """Store the progress of a step and renew the lease; False when another process has claimed the job."""
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
    """Release a job without counting the claim, so that another process resumes it at once."""
    await tx.execute(
        "update imports set claimed_by = null, lease_until = null, attempts = greatest(0, attempts - 1)"
        " where import_id = :import_id and claimed_by = :claim_id",
        import_id=claimed.import_id,
        claim_id=claimed.claim_id,
    )


async def let_rest(tx: WriteTx, claimed: Claim, now: datetime, *, counts: bool) -> None:
    """Release a job after a failure; it is claimed again only after a pause. `counts` says whether the attempt
    counts."""
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
    """End a job, as failed with an `error` (code, detail); the file and the job's temporary data are deleted."""
    state, code, detail = "done", None, None
    if error is not None:
        state, code, detail = "failed", *error
    ended = await tx.execute(
        # Names in the file are needed no more, and some are of people.
        "update imports set state = :state, finished_at = :now, error_code = :code, error_detail = :detail,"
        " columns = columns - 'names', claimed_by = null, lease_until = null"
        " where import_id = :import_id and claimed_by = :claim_id",
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
