"""Objections by the keyed hash of an address, made and lifted by the person."""

from datetime import datetime
from typing import Literal
from uuid import uuid4

from services.outreach.domain.tokens import Opened
from shared.db.transaction import ReadTx, WriteTx

Source = Literal["one_click", "page"]


async def objects(tx: ReadTx, address_hash: bytes) -> bool:
    """Whether the address objects now."""
    found = await tx.scalar(
        "select 1 from suppressions where address_hash = :address_hash and lifted_at is null",
        address_hash=address_hash,
    )
    return found is not None


async def object_to_all(tx: WriteTx, opened: Opened, source: Source, now: datetime) -> bool:
    """Store the objection of an address; returns False where it objects already."""
    stored = await tx.execute(
        "insert into suppressions (suppression_id, address_hash, key_id, source, created_at, created_by)"
        " values (:suppression_id, :address_hash, :key_id, :source, :now, 'person')"
        " on conflict (address_hash) where lifted_at is null do nothing",
        suppression_id=uuid4(),
        address_hash=opened.subject,
        key_id=opened.key_id,
        source=source,
        now=now,
    )
    return stored == 1


async def lift(tx: WriteTx, address_hash: bytes, now: datetime) -> None:
    """End the objection of an address."""
    await tx.execute(
        "update suppressions set lifted_at = :now, lifted_by = 'person'"
        " where address_hash = :address_hash and lifted_at is null",
        address_hash=address_hash,
        now=now,
    )
