"""A reader who keeps a copy of the responses by `updated_since`, as docs/copying.md tells it."""

from dataclasses import dataclass, field
from typing import Any

from tests.integration.scorer.reading import Reader
from tests.support.polling import eventually

BEGINNING = "2000-01-01T00:00:00Z"


@dataclass
class Copy:
    """The responses that count, by id, as far as the copy has come; `filters` choose among them."""

    reader: Reader
    since: str = BEGINNING
    filters: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)
    pages: int = 0

    async def page(self, limit: int = 200) -> list[Any]:
        """Read one page and apply it; returns its items. While the scorer is away there are none."""
        answer = await self.reader.get("/v1/responses", updated_since=self.since, limit=limit, **self.filters)
        if answer.status_code == 503:
            return []
        assert answer.status_code == 200, answer.text
        body = answer.json()
        for item in body["items"]:
            self.rows.pop(item["response_id"], None)
            if not item.get("deleted"):
                self.rows[item["response_id"]] = item
        self.since = body["position"]
        self.pages += 1
        return list(body["items"])

    async def caught_up(self, limit: int = 200) -> list[Any]:
        """Read all that was committed until now, also where others' transactions hold it up; returns the items."""
        own = await self.reader.tables.fetchval("select pg_current_xact_id()::text::bigint")

        async def nothing_older_runs() -> bool:
            oldest = await self.reader.tables.fetchval("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            return bool(oldest > own)

        await eventually(nothing_older_runs, 30)
        found: list[Any] = []
        while items := await self.page(limit):
            found += items
        return found


async def copy_from_now(reader: Reader, **filters: str) -> Copy:
    """An empty copy that is told of what changes from now on."""
    copy = Copy(reader, filters=filters)
    await copy.caught_up()
    copy.rows.clear()
    return copy
