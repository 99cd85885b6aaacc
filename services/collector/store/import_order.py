"""In which order files were written, which accounts an import has touched, and that it was undone."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from shared.db.transaction import ReadTx, WriteTx


async def settle_order(tx: WriteTx, import_id: UUID, survey: str) -> None:
    """When the file of an import was written, once and for good: as the same bytes were when they first came, else as
    the caller said, else when it came. One that was written before the newest file of its survey changes nothing that
    is known, unless the caller wants it to overwrite."""
    await tx.execute(
        """
        with file as (
            select i.file_digest, coalesce(f.written_at, least(i.written_at, i.created_at)) as written_at,
                (select max(written_at) from import_files where survey = :survey) as newest
            from imports i left join import_files f on f.digest = i.file_digest where i.import_id = :import_id
        ), taken as (
            insert into import_files (digest, survey, written_at)
            select file_digest, :survey, written_at from file on conflict do nothing
        )
        update imports set written_at = file.written_at,
            older_than = case when file.written_at < file.newest then file.newest end,
            mode = case when file.written_at < file.newest and mode = 'upsert' then 'only_new' else mode end
        from file where import_id = :import_id
        """,
        import_id=import_id,
        survey=survey,
    )


async def note_accounts(tx: WriteTx, import_id: UUID, account_ids: Iterable[str]) -> None:
    """Note that rows of the import were taken for these accounts."""
    await tx.execute(
        "insert into import_accounts (import_id, account_id) select :import_id, unnest(cast(:accounts as text[]))"
        " on conflict do nothing",
        import_id=import_id,
        accounts=sorted(set(account_ids)),
    )


async def accounts_of(tx: ReadTx, import_id: UUID) -> Sequence[str]:
    """The accounts that rows of the import were taken for."""
    return await tx.column(
        "select account_id from import_accounts where import_id = :import_id order by account_id", import_id=import_id
    )


async def undo(tx: WriteTx, import_id: UUID, now: datetime) -> bool:
    """Note that the import is undone; False if it was before."""
    return bool(
        await tx.execute(
            "update imports set undone_at = :now where import_id = :import_id and undone_at is null",
            import_id=import_id,
            now=now,
        )
    )
