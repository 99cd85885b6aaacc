"""Files that are looked at before they are taken: what they would become, what is asked, and the import they begin."""

import json
from datetime import timedelta
from typing import Any

import pytest

from services.collector.handlers.import_drafts import DRAFTS_LAST, MOST_DRAFTS
from services.collector.settings import MEGABYTE
from shared.events.responses import ResponseRecorded
from shared.topics import RESPONSES
from tests.integration.collector.conftest import Running
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.problems import assert_problem
from tests.support.workbooks import Cell, workbook

SURVEYMONKEY = (
    "Respondent ID,Collector ID,Start Date,End Date,Email Address,Company,"
    "How likely is it that you would recommend us?,What could we do better?\n"
    ",,,,,,,Open-Ended Response\n"
    "11800,4711,03/31/2026 09:10:00 AM,03/31/2026 09:12:30 AM,ann@acme.example,Acme,9,Faster answers\n"
    "11801,4711,03/31/2026 10:10:00 AM,03/31/2026 10:12:30 AM,bob@acme.example,Acme,eleven,\n"
)
PLAIN = "Airline,Traveller,Stars,Date\nacme,ann,4,2026-03-31\nacme,bob,5,2026-03-30\n"


async def sent(collector: Running, content: bytes, kind: str = "responses", **headers: str) -> Any:
    files = {"file": ("answers.csv", content)}
    return await collector.client.post("/v1/import-drafts", data={"kind": kind}, files=files, headers=headers)


async def draft(collector: Running, content: str | bytes, kind: str = "responses") -> dict[str, Any]:
    """The first look at a file."""
    if isinstance(content, str):
        content = content.encode()
    answer = await sent(collector, content, kind)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def looked(collector: Running, draft_id: str, **wanted: Any) -> dict[str, Any]:
    answer = await collector.client.post(f"/v1/import-drafts/{draft_id}/look", json=wanted)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def ended(collector: Running, draft_id: str, **wanted: Any) -> dict[str, Any]:
    """The import that a draft became, at its end."""
    answer = await collector.client.post(f"/v1/import-drafts/{draft_id}/start", json=wanted)
    assert answer.status_code == 202, answer.text

    async def end() -> dict[str, Any]:
        job: dict[str, Any] = (await collector.client.get(answer.headers["location"])).json()
        return job if job["state"] in ("done", "failed") else {}

    return await eventually(end)


def asked(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(question["field"], question["code"]) for question in found["asks"]]


async def test_a_file_of_a_known_tool_shows_what_its_rows_would_be_and_is_taken_as_shown(collector: Running) -> None:
    found = await draft(collector, SURVEYMONKEY)
    assert (found["format"], found["file_name"], found["rows"]) == ("surveymonkey", "answers.csv", None)
    assert asked(found) == [("date_format", "date_format_needed")]
    assert found["columns"]["account_id"] == "Company"
    company = next(column for column in found["header"] if column["name"] == "Company")
    assert company["samples"] == ["Acme"]
    wanted = {"date_format": "MM/DD/YYYY HH:MM:SS AM/PM", "columns": {"comment": "What could we do better?"}}
    found = await looked(collector, found["draft_id"], **wanted)
    assert (asked(found), found["rows"]) == ([], 2)
    ann, bob = found["preview"]
    assert (ann["line"], ann["outcome"], ann["values"]["score"]) == (3, "taken", "9")
    assert ann["values"]["answered_at"].startswith("2026-03-31T09:12:30")
    assert ann["values"]["comment"] == "Faster answers"
    assert (bob["outcome"], bob["values"]) == ("bad", {})
    assert "score" in bob["reason"] or "whole number" in bob["reason"]
    assert await collector.present(RESPONSES) == []
    job = await ended(collector, found["draft_id"], **wanted)
    assert (job["taken"], job["bad"], job["format"]) == (1, 1, "surveymonkey")
    [event] = await collector.events(RESPONSES, 1)
    assert isinstance(event.data, ResponseRecorded)
    assert (event.data.score, event.data.comment) == (9, "Faster answers")
    again = await collector.client.post(f"/v1/import-drafts/{found['draft_id']}/start", json=wanted)
    assert_problem(again, 404, "not_found")


async def test_all_that_the_columns_do_not_say_is_asked_at_once(collector: Running) -> None:
    found = await draft(collector, PLAIN)
    assert asked(found) == [(field, "missing_column") for field in ("account_id", "stakeholder_id", "score")]
    assert found["preview"] == []
    columns = {"account_id": "Airline", "stakeholder_id": "Traveller", "score": "Stars"}
    found = await looked(collector, found["draft_id"], columns=columns)
    assert asked(found) == [("survey_type", "survey_type_needed")]
    refused = await collector.client.post(f"/v1/import-drafts/{found['draft_id']}/start", json={"columns": columns})
    assert_problem(refused, 422, "invalid_request")
    found = await looked(collector, found["draft_id"], columns=columns | {"survey_type": "=csat"})
    assert (asked(found), found["rows"]) == ([], 2)
    assert [row["values"]["survey_type"] for row in found["preview"]] == ["csat", "csat"]
    found = await looked(collector, found["draft_id"], columns={"score": "Moons"})
    assert ("score", "unknown_column") in asked(found)
    assert [column["name"] for column in found["header"]] == ["Airline", "Traveller", "Stars", "Date"]


async def test_of_a_workbook_with_several_sheets_one_is_asked_for(collector: Running) -> None:
    rows: list[list[Cell]] = [["Account", "Email", "Score"], ["acme", "ann@acme.example", 9]]
    found = await draft(collector, workbook({"Spring": rows, "Autumn": [*rows, ["acme", "bob@acme.example", 3]]}))
    assert asked(found) == [("file", "several_sheets")]
    found = await looked(collector, found["draft_id"], sheet="Autumn")
    assert (asked(found), found["rows"]) == ([], 2)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"%PDF-1.7 answers", "no_table", id="a PDF called .csv"),
        pytest.param(b"PK\x03\x04 no workbook", "unreadable_workbook", id="an archive that is none"),
        pytest.param(b"\x1f\x8b\x08\x00", "unreadable_gzip", id="gzip that breaks off"),
        pytest.param(b"", "empty_file", id="nothing"),
        pytest.param(b"Account,Email,Score\n", "no_rows", id="a header alone"),
    ],
)
async def test_what_is_no_table_is_refused_and_not_kept(collector: Running, content: bytes, code: str) -> None:
    answer = await sent(collector, content)
    assert_problem(answer, 422, "invalid_request")
    assert [(fault["field"], fault["code"]) for fault in answer.json()["errors"]] == [("file", code)]
    assert await kept(collector) == 0


async def kept(collector: Running) -> int:
    database = collector.app.state.plumbing.database
    async with database.read() as tx:
        return int(await tx.scalar("select count(*) from import_drafts"))


async def test_only_who_sent_a_file_sees_it(collector: Running) -> None:
    found = await draft(collector, PLAIN)
    other = bearer(await api_key(collector.environment, ("ingest", "read", "manage")))
    path = f"/v1/import-drafts/{found['draft_id']}"
    for call in (
        collector.client.post(f"{path}/look", json={}, headers=other),
        collector.client.post(f"{path}/start", json={}, headers=other),
        collector.client.delete(path, headers=other),
    ):
        assert_problem(await call, 404, "not_found")
    reader = bearer(await api_key(collector.environment, ("read", "manage")))
    assert_problem(await sent(collector, PLAIN.encode(), **reader), 403, "missing_scope")
    assert_problem(await collector.client.get("/v1/import-rules", headers=reader), 403, "missing_scope")
    assert (await collector.client.delete(path)).status_code == 204
    assert_problem(await collector.client.delete(path), 404, "not_found")


async def test_drafts_end_after_a_day_and_make_room_for_newer_ones(collector: Running) -> None:
    drafts = [await draft(collector, PLAIN) for _ in range(MOST_DRAFTS + 1)]
    assert await kept(collector) == MOST_DRAFTS
    first = await collector.client.post(f"/v1/import-drafts/{drafts[0]['draft_id']}/look", json={})
    assert_problem(first, 404, "not_found")
    await looked(collector, drafts[-1]["draft_id"])
    collector.clock.advance(DRAFTS_LAST + timedelta(seconds=1))
    last = await collector.client.post(f"/v1/import-drafts/{drafts[-1]['draft_id']}/look", json={})
    assert_problem(last, 404, "not_found")

    async def gone() -> bool:
        collector.app.state.service.import_worker.tidying.wake()
        return await kept(collector) == 0

    await eventually(gone)


async def test_an_erasure_ends_all_drafts(collector: Running) -> None:
    found = await draft(collector, "Account,Email,Score\nacme,ann@acme.example,9\n")
    collector.clock.advance(timedelta(minutes=1))
    erased = await collector.client.delete("/v1/accounts/acme/stakeholders/ann@acme.example/data")
    assert erased.is_success, erased.text
    assert_problem(
        await collector.client.post(f"/v1/import-drafts/{found['draft_id']}/look", json={}), 404, "not_found"
    )
    assert await kept(collector) == 0


async def test_accounts_and_people_are_looked_at_as_well(collector: Running) -> None:
    accounts = await draft(collector, "Account ID,Name,Owner Email,Tier\nacme,Acme,kim@x.example,Key\n", "accounts")
    assert (asked(accounts), accounts["rows"]) == ([], 1)
    values = accounts["preview"][0]["values"]
    assert (values["account_id"], values["owner.email"], values["tier"]) == ("acme", "kim@x.example", "key")
    assert (await ended(collector, accounts["draft_id"]))["taken"] == 1
    people = await draft(collector, "Account,Email,Name\nacme,ann@acme.example,Ann\n", "stakeholders")
    assert people["preview"][0]["values"]["stakeholder_id"] == "ann@acme.example"
    assert (await ended(collector, people["draft_id"]))["taken"] == 1


async def test_imports_are_listed_newest_first_for_whom_they_belong_to(collector: Running) -> None:
    for number in range(3):
        collector.clock.advance(timedelta(minutes=1))
        await ended(
            collector, (await draft(collector, f"Account,Email,Score\nacme,a{number}@a.example,9\n"))["draft_id"]
        )
    first = (await collector.client.get("/v1/imports", params={"limit": 2})).json()
    rest = (await collector.client.get("/v1/imports", params={"cursor": first["next_cursor"]})).json()
    times = [job["created_at"] for job in first["items"] + rest["items"]]
    assert len(times) == 3
    assert times == sorted(times, reverse=True)
    limited = bearer(await api_key(collector.environment, ("ingest",), owner_email="kim@x.example"))
    assert (await collector.client.get("/v1/imports", headers=limited)).json()["items"] == []


async def test_the_limits_are_said(collector: Running) -> None:
    rules = (await collector.client.get("/v1/import-rules")).json()
    assert (rules["most_bytes"], rules["most_workbook_bytes"]) == (512 * MEGABYTE, 50 * MEGABYTE)
    assert {"account_id", "score"} <= set(rules["fields"]["responses"])
    assert json.dumps(rules["fields"]["accounts"]).count("owner.email") == 1
