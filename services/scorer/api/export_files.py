"""Rows as Parquet, chunk by chunk in constant memory."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from shared.http.files import Pages

Kind = Literal["text", "integer", "number", "flag", "moment", "day", "json"]
Columns = Mapping[str, Kind]
ROW_GROUP = 10_000
"""Rows of a Parquet row group: what is held in memory at most, besides one page."""


async def parquet_chunks(columns: Columns, pages: Pages) -> AsyncIterator[bytes]:
    """Parquet with typed columns: times in microseconds UTC, lists and objects as JSON text."""
    # Heavy, and needed by those few requests only.
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    kinds = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}
    kinds |= {"moment": pa.timestamp("us", tz="UTC"), "day": pa.date32(), "json": pa.string()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
    sink = _Sink()
    writer = pq.ParquetWriter(sink, schema, compression="zstd")
    held: list[Mapping[str, Any]] = []

    def write() -> None:
        values = [pa.array(_values(held, name, kind), kinds[kind]) for name, kind in columns.items()]
        writer.write_table(pa.Table.from_arrays(values, schema=schema))
        held.clear()

    try:
        async for page in pages:
            held.extend(page)
            if len(held) >= ROW_GROUP:
                await asyncio.to_thread(write)
                yield sink.taken()
        if held:
            await asyncio.to_thread(write)
    finally:
        writer.close()
    yield sink.taken()


def _values(rows: Sequence[Mapping[str, Any]], name: str, kind: Kind) -> list[Any]:
    values = [row[name] for row in rows]
    if kind == "json":
        return list(map(_json_text, values))
    if kind == "moment":
        return list(map(_moment_of, values))
    return values


def _json_text(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False)


def _moment_of(value: datetime | str | None) -> datetime | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value


class _Sink(io.RawIOBase):
    """A file that is written once, from the beginning to the end, and taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._length += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._length

    def taken(self) -> bytes:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
