"""Which process does what only one may do at a time."""

from uuid import UUID

from shared.db.transaction import WriteTx


async def take_turn(tx: WriteTx, name: str, holder: UUID, seconds: float) -> bool:
    """Take or keep the turn to do what one process does at a time, by the database's clock; False while another one has
    it."""
    found = await tx.scalar(
        "insert into turns as t (name, holder, until) values (:name, :holder, now() + make_interval(secs => :seconds))"
        " on conflict (name) do update set holder = excluded.holder, until = excluded.until"
        " where t.holder = excluded.holder or t.until < now() returning 1",
        name=name,
        holder=holder,
        seconds=seconds,
    )
    return found is not None
