"""Search for words in a whole database: every column of every table of every schema, also future ones."""

from collections.abc import Iterable

import asyncpg

_COLUMNS = """
    select c.table_schema, c.table_name, c.column_name, c.data_type
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where t.table_type = 'BASE TABLE' and c.table_schema not in ('pg_catalog', 'information_schema')
    order by 1, 2, 3
"""


async def places_of(database_url: str, words: Iterable[str]) -> dict[str, int]:
    """The columns that contain any of the words, in any case, with the number of rows: `schema.table.column`. ASCII
    words are found in bytes too."""
    connection = await asyncpg.connect(database_url)
    patterns = [f"%{word}%" for word in words]
    try:
        found = {}
        for schema, table, column, kind in await connection.fetch(_COLUMNS):
            text = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'cast("{column}" as text)'
            count = await connection.fetchval(
                f'select count(*) from "{schema}"."{table}" where {text} ilike any($1)',  # noqa: S608 - names of ours
                patterns,
            )
            if count:
                found[f"{schema}.{table}.{column}"] = count
        return found
    finally:
        await connection.close()
