"""Rows that were not taken, kept for a week as a file to mend and bring again."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from services.collector.handlers import imports
from services.collector.handlers.imports import KEPT_ROWS_LAST
from shared.topics import RESPONSES
from tests.integration.collector.conftest import Running
from tests.integration.collector.test_imports import finished, responses
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.problems import assert_problem
from tests.support.workbooks import workbook

HEADER = "Account;Email;Score;Comment;Office\n"
GOOD = "acme;ann@acme.example;9;Fine;Bonn\n"
BAD = "acme;bob@acme.example;eleven;=1+1;Bonn\n"


async def rows_to_mend(collector: Running, job: dict[str, Any]) -> list[list[str]]:
    """The file of bad rows, read."""
    answer = await collector.client.get(f"/v1/imports/{job['import_id']}/bad-rows")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def to_mend(collector: Running, job: dict[str, Any]) -> int:
    """How many rows the import says that the file holds."""
    return int((await collector.client.get(f"/v1/imports/{job['import_id']}")).json()["to_mend"])


async def test_bad_rows_come_back_as_they_were_with_their_columns_and_the_reason(collector: Running) -> None:
    job = await finished(collector, (HEADER + GOOD + BAD).encode())
    assert (job["taken"], job["bad"], job["to_mend"]) == (1, 1, 1)
    head, row = await rows_to_mend(collector, job)
    assert head == ["Account", "Email", "Score", "Comment", "Office", "Why it was not taken"]
    assert row[:5] == ["acme", "bob@acme.example", "eleven", "=1+1", "Bonn"]
    assert row[5].startswith("score: write a whole number")


async def test_the_mended_file_is_taken_once_beside_what_was_taken_before(collector: Running) -> None:
    job = await finished(collector, (HEADER + GOOD + BAD).encode())
    answer = await collector.client.get(f"/v1/imports/{job['import_id']}/bad-rows")
    mended = answer.content.replace(b"eleven", b"7")
    assert [(again["taken"], again["bad"]) for again in [await finished(collector, mended)]] == [(1, 0)]
    whole = await finished(collector, (HEADER + GOOD + BAD.replace("eleven", "7")).encode())
    ids = {data.response_id for data in responses(await collector.events(RESPONSES, 4))}
    assert whole["taken"] == 2
    assert len(ids) == 2, "a row has one id, whichever file it came in"


async def test_both_header_rows_of_a_tool_come_back(collector: Running) -> None:
    content = (
        "Respondent ID,Collector ID,Start Date,End Date,Email Address,Company,Would you recommend us?\n"
        ",,,,,,Response\n"
        "11800,4711,2026-03-31,2026-03-31,ann@acme.example,Acme,12\n"
    )
    job = await finished(collector, content.encode())
    assert (job["format"], job["bad"]) == ("surveymonkey", 1)
    first, second, row = await rows_to_mend(collector, job)
    assert (first[0], second, row[0]) == ("Respondent ID", ["", "", "", "", "", "", "Response", ""], "11800")
    again = await finished(collector, (await _bytes(collector, job)).replace(b",12,", b",10,"))
    assert (again["format"], again["taken"]) == ("surveymonkey", 1)


async def _bytes(collector: Running, job: dict[str, Any]) -> bytes:
    return (await collector.client.get(f"/v1/imports/{job['import_id']}/bad-rows")).content


async def test_a_workbook_gives_its_bad_rows_as_a_text(collector: Running) -> None:
    rows: list[list[Any]] = [["Account", "Email", "Score"], ["acme", "ann@acme.example", 9], ["acme", "bob", 3.5]]
    job = await finished(collector, workbook({"Answers": rows}))
    assert await rows_to_mend(collector, job) == [
        ["Account", "Email", "Score", "Why it was not taken"],
        ["acme", "bob", "3.5", (await rows_to_mend(collector, job))[1][3]],
    ]


async def test_what_cannot_be_mended_is_only_in_the_report(collector: Running) -> None:
    lines = ["acme;x\n", "acme;nul@acme.example;0\0;Fine;Bonn\n", f"acme;long@acme.example;x;{'y' * 20_001};Bonn\n"]
    job = await finished(collector, (HEADER + "".join(lines) + BAD).encode())
    assert (job["bad"], job["to_mend"]) == (4, 1)
    assert [row[1] for row in await rows_to_mend(collector, job)] == ["Email", "bob@acme.example"]


async def test_of_a_file_only_so_many_rows_are_kept(collector: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MOST_KEPT_ROWS", 3)
    monkeypatch.setattr("services.collector.jobs.STEP_ROWS", 2)
    rows = "".join(f"acme;p{number}@acme.example;x;;\n" for number in range(5))
    job = await finished(collector, (HEADER + rows).encode())
    assert (job["bad"], job["to_mend"]) == (5, 3)
    assert [row[1] for row in (await rows_to_mend(collector, job))[1:]] == [f"p{n}@acme.example" for n in range(3)]


async def test_the_rows_are_deleted_after_a_week(collector: Running) -> None:
    job = await finished(collector, (HEADER + BAD).encode())
    collector.clock.advance(KEPT_ROWS_LAST + timedelta(seconds=1))

    async def gone() -> bool:
        collector.app.state.service.import_worker.tidying.wake()
        return await to_mend(collector, job) == 0

    await eventually(gone)
    assert len(await rows_to_mend(collector, job)) == 1
    report = await collector.client.get(f"/v1/imports/{job['import_id']}")
    assert report.json()["bad"] == 1, "the report stays"


async def test_erasing_somebody_deletes_the_rows_that_name_them(collector: Running) -> None:
    other = "acme;cy@acme.example;x;;\n"
    said = "acme;di@acme.example;x;as BOB@ACME.EXAMPLE says;\n"
    job = await finished(collector, (HEADER + BAD + other + said).encode())
    erased = await collector.client.delete("/v1/accounts/acme/stakeholders/bob@acme.example/data")
    assert erased.is_success, erased.text
    assert [row[1] for row in (await rows_to_mend(collector, job))[1:]] == ["cy@acme.example"]


async def test_bad_rows_of_a_file_that_came_before_an_erasure_are_not_kept(collector: Running) -> None:
    collector.clock.advance(timedelta(minutes=5))
    erased = await collector.client.delete("/v1/accounts/acme/stakeholders/bob@acme.example/data")
    assert erased.is_success, erased.text
    collector.clock.advance(timedelta(minutes=-5))  # the file has waited since before
    job = await finished(collector, (HEADER + BAD).encode())
    assert (job["bad"], job["to_mend"]) == (1, 0)


async def test_only_who_may_send_files_reads_rows_and_only_their_own(collector: Running) -> None:
    job = await finished(collector, (HEADER + BAD).encode())
    path = f"/v1/imports/{job['import_id']}/bad-rows"
    reader = bearer(await api_key(collector.environment, ("read",)))
    assert_problem(await collector.client.get(path, headers=reader), 403, "missing_scope")
    limited = bearer(await api_key(collector.environment, ("ingest",), owner_email="kim@x.example"))
    assert_problem(await collector.client.get(path, headers=limited), 404, "not_found")
    nothing = path.replace(job["import_id"], "0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a")
    assert_problem(await collector.client.get(nothing), 404, "not_found")
