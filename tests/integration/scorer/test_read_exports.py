"""Exports: what the lists say, in files that sheets open safely, page by page and in constant memory."""

import csv
import io
import json
import tracemalloc
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from services.scorer.api import export_files, exports
from services.scorer.store.reading import responses as store
from shared.access.caller import Caller
from shared.errors import Unavailable
from shared.files.formulas import safe
from shared.http.files import csv_chunks
from tests.integration.scorer.reading import NOW, Reader
from tests.integration.scorer.worlds import OWNERS, a_world
from tests.support.reference.world import Client, Submission, World

RESPONSES, ACCOUNTS = "/v1/exports/responses", "/v1/exports/accounts"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few rows are many pages and row groups."""
    monkeypatch.setattr(exports, "PAGE", 3)
    monkeypatch.setattr(exports, "ACCOUNTS_PAGE", 2)
    monkeypatch.setattr(exports, "PEOPLE_PAGE", 2)
    monkeypatch.setattr(export_files, "ROW_GROUP", 7)


async def sheet(reader: Reader, path: str, **asked: Any) -> list[dict[str, str]]:
    """The rows of a CSV export."""
    response = await reader.get(f"{path}.csv", **asked)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"].startswith("attachment; filename=")
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


async def table(reader: Reader, path: str, **asked: Any) -> list[dict[str, Any]]:
    """The rows of a Parquet export."""
    response = await reader.get(f"{path}.parquet", **asked)
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(response.content)).to_pylist()
    return rows


def by_id(rows: Sequence[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    """Rows by their id, of which there is one each."""
    found = {row[name]: row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_exported_responses_are_those_of_the_list(reader: Reader, seed: int) -> None:
    await reader.put(a_world(Random(seed)))
    asked = {} if seed % 2 else {"survey_type": "nps", "industry": "logistics"}
    listed = by_id(await reader.items("/v1/responses", **asked), "response_id")
    in_csv = by_id(await sheet(reader, RESPONSES, **asked), "response_id")
    in_parquet = by_id(await table(reader, RESPONSES, **asked), "response_id")
    assert listed.keys() == in_csv.keys() == in_parquet.keys()
    for response_id, item in listed.items():
        line, row = in_csv[response_id], in_parquet[response_id]
        assert (line["score"], row["score"]) == (str(item["score"]), item["score"])
        assert line["answered_at"] == item["answered_at"]
        assert row["answered_at"] == datetime.fromisoformat(item["answered_at"])
        assert json.loads(line["answers"]) == json.loads(row["answers"]) == item["answers"]
        assert (line["category"], row["category"]) == (item["category"] or "", item["category"])
        assert row["comment"] == item["comment"]
        assert (line["follow_up_requested"] == "true") is item["follow_up_requested"] is row["follow_up_requested"]


@pytest.mark.parametrize("seed", range(6))
async def test_exported_accounts_are_those_of_the_list(reader: Reader, seed: int) -> None:
    await reader.put(a_world(Random(seed)))
    asked = {"window": "all", "method": "all", "as_of": NOW} if seed % 2 else {}
    listed = by_id(await reader.items("/v1/accounts", **asked), "account_id")
    in_csv = by_id(await sheet(reader, ACCOUNTS, **asked), "account_id")
    in_parquet = by_id(await table(reader, ACCOUNTS, **asked), "account_id")
    assert list(in_csv) == list(in_parquet) == sorted(listed)
    for account_id, item in listed.items():
        line, row = in_csv[account_id], in_parquet[account_id]
        for name in ("class", "nps", "nps_rounded", "response_count", "change", "ci_low", "sent_count", "window"):
            assert row[name] == item[name], name
            assert line[name] == ("" if item[name] is None else str(item[name])), name
        assert row["previous_nps"] == (item["previous"] or {"nps": None})["nps"]
        assert [row[name] for name in ("known", "asked", "answered")] == list(item["coverage"].values())
        assert row["annual_revenue_amount"] == (item["annual_revenue"] or {"amount": None})["amount"]
        assert json.loads(line["products"]) == item["products"]
        if item["time_zone"] is not None:
            assert (line["customer_since"], row["customer_since"]) == ("2019-04-01", date(2019, 4, 1))
            assert (line["do_not_ask_until"], line["do_not_ask_reason"]) == ("2026-09-30", "Claim in court")
            assert (row["do_not_ask_until"], row["language"]) == (date(2026, 9, 30), "fr")
    assert any(item["time_zone"] for item in listed.values())


async def test_what_a_sheet_would_run_is_text(reader: Reader) -> None:
    evil = ("=HYPERLINK(0)", "+1", "-1", "@SUM(A1)", "\tx", "＝1", "fine", '"quoted", and\r\nmore', "0", "ünï")
    await reader.put(
        World(
            clients=(Client("acme", "=cmd|' /C calc'!A0"),),
            submissions=tuple(
                Submission(f"r{number}", "acme", "ada", "nps", 0, NOW - timedelta(days=number), comment=comment)
                for number, comment in enumerate(evil)
            ),
        )
    )
    rows = await sheet(reader, RESPONSES)
    assert [row["comment"] for row in rows] == [safe(comment) for comment in evil]
    assert [row["comment"][0] for row in rows[:6]] == ["'"] * 6
    assert {row["score"] for row in rows} == {"0"}
    assert [row["comment"] for row in await table(reader, RESPONSES)] == list(evil)
    (account,) = await sheet(reader, ACCOUNTS)
    assert account["name"].startswith("'=")


async def test_an_empty_export_has_its_heading(reader: Reader) -> None:
    await reader.put(World())
    for path, columns in ((RESPONSES, exports.RESPONSES), (ACCOUNTS, exports.ACCOUNTS)):
        assert (await reader.get(f"{path}.csv")).content.decode("utf-8-sig") == ",".join(columns) + "\r\n"
        found = pq.read_table(io.BytesIO((await reader.get(f"{path}.parquet")).content))
        assert (found.column_names, found.num_rows) == (list(columns), 0)


async def test_the_same_question_gives_the_same_bytes(reader: Reader) -> None:
    await reader.put(a_world(Random(5)))
    for path in (f"{RESPONSES}.csv", f"{RESPONSES}.parquet", f"{ACCOUNTS}.csv", f"{ACCOUNTS}.parquet"):
        assert (await reader.get(path)).content == (await reader.get(path)).content


async def test_a_limited_key_exports_its_own_accounts_only(reader: Reader) -> None:
    await reader.put(a_world(Random(2)))
    limited = await reader.limited_to(OWNERS[0])
    for path in (RESPONSES, ACCOUNTS):
        own = await sheet(reader, path, owner=OWNERS[0])
        assert own == await sheet(limited, path)
        assert own != await sheet(reader, path)


@pytest.mark.parametrize(
    ("path", "asked", "code"),
    [
        (f"{RESPONSES}.csv", {"limit": 5}, "unknown_field"),
        (f"{RESPONSES}.parquet", {"category": "happy"}, "literal_error"),
        (f"{ACCOUNTS}.csv", {"sort": "nps"}, "unknown_field"),
        (f"{ACCOUNTS}.parquet", {"window": "0d"}, "invalid_window"),
    ],
)
async def test_bad_questions_are_refused(reader: Reader, path: str, asked: dict[str, Any], code: str) -> None:
    assert await reader.code(path, 422, **asked) == code


async def test_what_breaks_half_way_is_no_whole_answer(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    await reader.put(a_world(Random(2)))
    fails_at = 1

    async def failing(*arguments: Any) -> Any:
        nonlocal fails_at
        fails_at -= 1
        if fails_at < 0:
            raise Unavailable("database_unavailable", "the database is not reachable", retry_after=5)
        return await store.responses_after(*arguments)

    monkeypatch.setattr(exports, "responses_after", failing)
    with pytest.raises(RuntimeError, match="already started"):
        await reader.get(f"{RESPONSES}.csv")
    assert (await reader.get(f"{RESPONSES}.csv")).status_code == 503


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
async def test_an_export_needs_as_much_memory_for_many_rows_as_for_some(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(exports, "PAGE", 200)
    monkeypatch.setattr(export_files, "ROW_GROUP", 400)

    await reader.put(World())
    sizes: list[int] = []
    peaks = []
    for rows in (800, 800, 6_400):
        await fill(reader, rows)
        peaks.append(min([await highest(reader, suffix, sizes) for _ in range(3)]))
    few, many = sizes[3], sizes[6]
    assert many > 4 * few
    assert peaks[2] < 1.5 * peaks[1]


async def fill(reader: Reader, rows: int) -> None:
    """As many answers, each with a comment of a kilobyte."""
    await reader.tables.execute("truncate responses")
    await reader.tables.execute(
        "insert into responses (response_id, account_id, stakeholder_id, survey_type, score, comment, answered_at,"
        " recorded_at, nps_kind, updated_at)"
        " select 'm' || n, 'acme', 'p' || n % 50, 'nps', n % 11,"
        " (select string_agg(md5((n * 31 + m)::text), '') from generate_series(1, 30) m), $2, $2, 'relationship', $2"
        " from generate_series(1, $1::int) n",
        rows,
        NOW,
    )


async def highest(reader: Reader, suffix: str, sizes: list[int]) -> int:
    """The peak of traced memory while the body is read and thrown away; its size goes to `sizes`.

    What else the process does meanwhile counts too, so the least of some is the export's own.
    """
    call = {"csv": exports.export_responses_csv, "parquet": exports.export_responses_parquet}[suffix]
    service = reader.client._transport.app.state.service  # type: ignore[attr-defined]
    tracemalloc.start()
    try:
        answer = await call(Caller("test", frozenset({"read"})), service, exports.ExportedResponses())
        sizes.append(sum([len(chunk) async for chunk in answer.body_iterator]))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("chunks", [csv_chunks, export_files.parquet_chunks])
async def test_a_large_file_is_written_in_constant_memory(chunks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "ROW_GROUP", 2_000)

    async def peak(pages: int) -> tuple[int, int]:
        async def rows() -> Any:
            for page in range(pages):
                yield [{"id": f"{page}-{number}", "comment": f"{page} {number} " * 20} for number in range(500)]

        tracemalloc.start()
        size = 0
        async for chunk in chunks({"id": "text", "comment": "text"}, rows()):
            size += len(chunk)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest, size

    await peak(8)
    (few, small), (many, large) = await peak(8), await peak(64)
    assert large > 4 * small
    assert many < 1.5 * few


async def test_people_of_an_account_and_of_all_come_as_the_file_that_an_import_takes(reader: Reader) -> None:
    await reader.put(a_world(Random(3)))
    listed = [person for person in await reader.items("/v1/stakeholders") if not person["removed"]]
    rows = await sheet(reader, "/v1/exports/stakeholders")
    keys = [(row["account_id"], row["stakeholder_id"]) for row in rows]
    assert sorted(keys) == sorted((person["account_id"], person["stakeholder_id"]) for person in listed)
    account_id = keys[0][0]
    of_one = await sheet(reader, "/v1/exports/stakeholders", account_id=account_id)
    assert of_one == [row for row in rows if row["account_id"] == account_id]
    assert len(of_one) < len(rows)
