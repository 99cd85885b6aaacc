"""Read and write transactions as different types: a read transaction cannot write, and a write transaction is committed
only by the block that opened it."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.outbox_rows import insert_outbox
from shared.events.envelope import Event, Headers
from shared.ids import lock_slot
from shared.records import Record
from shared.topics import Topic

Statement = str | Executable
_compiled: dict[str, TextClause] = {}


def prepared(statement: Statement) -> Executable:
    """A statement ready to run; text is parsed once and cached."""
    if not isinstance(statement, str):
        return statement
    clause = _compiled.get(statement)
    if clause is None:
        if len(_compiled) > 2_000:
            _compiled.clear()
        clause = _compiled[statement] = text(statement)
    return clause


def as_columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Rows, at least one, as a list for each of their columns: the arrays that `unnest` makes rows of again."""
    columns: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return columns


class ReadTx:
    """A transaction that reads. Statements are text with `:name` binds, or SQLAlchemy executables."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def all(self, statement: Statement, /, **params: Any) -> Sequence[RowMapping]:
        """Every row."""
        return (await self.connection.execute(prepared(statement), params)).mappings().all()

    async def rows(self, statement: Statement, /, **params: Any) -> Sequence[Sequence[Any]]:
        """Every row as a tuple, in the order of its columns: for many rows."""
        return (await self.connection.execute(prepared(statement), params)).all()

    async def one(self, statement: Statement, /, **params: Any) -> RowMapping | None:
        """The first row, or None."""
        return (await self.connection.execute(prepared(statement), params)).mappings().first()

    async def column(self, statement: Statement, /, **params: Any) -> Sequence[Any]:
        """The first column of every row."""
        return (await self.connection.execute(prepared(statement), params)).scalars().all()

    async def scalar(self, statement: Statement, /, **params: Any) -> Any:
        """The first column of the first row, or None."""
        return (await self.connection.execute(prepared(statement), params)).scalar()

    async def has_table(self, name: str) -> bool:
        """Whether there is this table, given as `schema.table`."""
        return bool(await self.scalar("select to_regclass(:name) is not null", name=name))

    async def stream(self, statement: Statement, /, **params: Any) -> AsyncIterator[RowMapping]:
        """The rows one after the other through a server-side cursor, in constant memory."""
        async with self.connection.stream(prepared(statement), params) as result:
            async for row in result.mappings():
                yield row


class WriteTx(ReadTx):
    """A transaction that writes; code inside never commits, the block that opened it does."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self._after: list[Callable[[], object]] = []

    def after_commit(self, act: Callable[[], object]) -> None:
        """Call `act` once the transaction is committed, and not at all when it is rolled back: metrics count committed
        facts only."""
        self._after.append(act)

    def committed(self) -> None:
        """Run the callbacks of `after_commit`; called by the block that opened the transaction."""
        for act in self._after:
            act()

    async def execute(self, statement: Statement, /, **params: Any) -> int:
        """Run a statement; returns how many rows it touched."""
        return (await self.connection.execute(prepared(statement), params)).rowcount

    async def execute_many(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each row of parameters."""
        if rows:
            await self.connection.execute(prepared(statement), [dict(row) for row in rows])

    async def lock_accounts(self, account_ids: Iterable[str]) -> None:
        """Lock the accounts until the end of the transaction, so that their events leave in the order of commits. Slots
        are locked in ascending order, hence no deadlock between two callers that each lock once. Each service has slots
        of its own: all use one database, and none waits for another."""
        slots = sorted({lock_slot(account_id) for account_id in account_ids})
        if slots:
            await self.connection.execute(
                prepared(
                    "select pg_advisory_xact_lock(hashtext('accounts of ' || current_schema()), slot) from"
                    " (select unnest(cast(:slots as int[])) as slot order by 1) as ordered"
                ),
                {"slots": slots},
            )

    async def emit(self, topic: Topic, *events: Event) -> None:
        """Write events to the outbox; the relay publishes them after the commit, in the order of these rows."""
        await self.emit_records([Record.of(topic, event) for event in events])

    async def emit_records(self, records: Sequence[Record]) -> None:
        """Write records to the outbox; the relay publishes them after the commit, in the order of these rows."""
        if records:
            await insert_outbox(self.connection, records)

    async def emit_raw(
        self,
        topic: Topic,
        account_id: str,
        key: bytes,
        value: bytes | None,
        headers: Headers,
        *,
        partition: int | None = None,
    ) -> None:
        """Write one record without changing it: tombstones, dead letters and replays. `partition` overrides the
        account's."""
        record = Record.raw(topic, account_id, key, value, headers, partition)
        await insert_outbox(self.connection, [record])

    async def seen(self, *event_ids: UUID) -> set[UUID]:
        """Enter event ids into the inbox; returns those that were in it before (redeliveries of the relay)."""
        inserted = await self.connection.execute(
            prepared(
                "insert into inbox (event_id) select distinct unnest(cast(:ids as uuid[]))"
                " on conflict do nothing returning event_id"
            ),
            {"ids": list(event_ids)},
        )
        return set(event_ids) - set(inserted.scalars())
