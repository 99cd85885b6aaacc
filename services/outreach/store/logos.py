"""Logos as rows; a logo that is there never changes."""

from datetime import datetime

from services.outreach.domain.logos import Logo
from shared.db.transaction import ReadTx, WriteTx


async def add(tx: WriteTx, logo: Logo, at: datetime, by: str) -> None:
    """Store a picture, unless it is there."""
    await tx.execute(
        "insert into logos (logo, kind, content, created_at, created_by) values (:logo, :kind, :content, :at, :by)"
        " on conflict do nothing",
        logo=logo.logo,
        kind=logo.kind,
        content=logo.content,
        at=at,
        by=by,
    )


async def find(tx: ReadTx, logo: str) -> Logo | None:
    """The picture of this name."""
    row = await tx.one("select logo, kind, content from logos where logo = :logo", logo=logo)
    if row is None:
        return None
    return Logo(**row)
