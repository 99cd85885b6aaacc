"""What a restore from a backup does to the scorer's state: a new timeline begins, and every score is published anew."""

from shared.db.transaction import ReadTx, WriteTx


async def latest_timeline(tx: ReadTx) -> int:
    """The highest of the timeline and of the sequences that were given."""
    return int(await tx.scalar("select greatest(timeline, (select max(sequence) from snapshots)) from feed"))


async def begin_timeline(tx: WriteTx, timeline: int) -> int:
    """Begin a timeline: positions of copies are none of it, and events of every account are numbered above it, above
    all that were given before. All scores are due to be published again, with the same figures; returns how many."""
    await tx.execute("update feed set timeline = :timeline", timeline=timeline)
    count = await tx.execute("update snapshots set sequence = :timeline, digest = ''", timeline=timeline)
    # Nothing is new, so the past of the accounts is what it was.
    await tx.execute(
        "insert into dirty_accounts as d (account_id, dirty_since, affects_from)"
        " select account_id, now(), 'infinity' from snapshots order by account_id"
        " on conflict (account_id) do update set revision = d.revision + 1"
    )
    return count
