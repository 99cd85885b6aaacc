"""Files as people send them, the rows that are taken, and the report about the others."""

import csv
import gzip
import io
from collections.abc import Sequence
from typing import Any

import pytest

from services.collector.handlers import imports
from shared.events.directory import AccountUpserted
from shared.events.envelope import Event
from shared.events.responses import ResponseRecorded
from shared.topics import DIRECTORY, RESPONSES
from tests.integration.collector.conftest import Running, started
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.problems import assert_problem
from tests.support.workbooks import workbook

TABLE = """Account,Email,Score,Comment,Date
acme,Ann@acme.example,10.0,café,2026-03-31
acme,bob@acme.example,3,,2026-03-30
"""


PINNED = "868298ee-ebe1-5174-95a9-b09258d2e9ac"
"""The id of the first row of TABLE."""


async def finished(collector: Running, content: bytes, **form: Any) -> dict[str, Any]:
    """Import a file and wait for the end of the job."""
    answer = await collector.client.post(
        "/v1/imports", data={"kind": "responses"} | form, files={"file": ("answers.csv", content)}
    )
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/imports/{answer.json()['import_id']}"

    async def ended() -> dict[str, Any]:
        job: dict[str, Any] = (await collector.client.get(answer.headers["location"])).json()
        return job if job["state"] in ("done", "failed") else {}

    return await eventually(ended)


def counts(job: dict[str, Any]) -> tuple[str, int, int, int]:
    return job["state"], job["taken"], job["skipped"], job["bad"]


def responses(events: Sequence[Event]) -> list[ResponseRecorded]:
    return [event.data for event in events if isinstance(event.data, ResponseRecorded)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TABLE.encode(), id="UTF-8"),
        pytest.param(TABLE.encode("utf-8-sig"), id="BOM"),
        pytest.param(TABLE.replace(",", ";").encode(), id="semicolon"),
        pytest.param(TABLE.replace(",", "\t").encode("utf-16"), id="tab and UTF-16"),
    ],
)
async def test_a_file_becomes_quiet_responses(collector: Running, content: bytes) -> None:
    job = await finished(collector, content)
    assert counts(job) == ("done", 2, 0, 0)
    assert (job["progress"], job["rows_read"], job["alerts"], job["error"]) == (1.0, 2, False, None)
    ann, bob = sorted(responses(await collector.events(RESPONSES, 2)), key=lambda data: data.stakeholder_id)
    assert (ann.score, ann.comment, ann.channel, ann.quiet, ann.survey_type) == (10, "café", "import", True, "nps")
    assert ann.answered_at.isoformat() == "2026-03-31T12:00:00+00:00"
    assert bob.comment is None
    # Pinned ids, equal for every format and in every release: sending the file again doubles nothing.
    assert ann.response_id == PINNED


async def test_bad_rows_are_reported_with_line_and_reason_and_the_others_taken(collector: Running) -> None:
    content = (
        "Account;Person;Score;Date\n"
        "acme;ann;9;2026-03-31\n"
        "acme;bob;9,0;2026-03-31\n"
        "acme;cas;;2026-03-31\n"
        "acme;dan;8;1970-01-01\n"
        "acme;eve;8;03/04/2026\n"
        "acme;fay;8\n"
        '"acme;gus;8;2026-03-31\n'
        "acme;hal;8;2026-06-02\n"
        "\n"
        "acme;ivy;7;2026-03-31\n"
    )
    job = await finished(collector, content.encode())
    assert counts(job) == ("done", 2, 0, 7)
    assert [(problem["line"], problem["code"], problem["field"]) for problem in job["problems"]] == [
        (3, "not_a_whole_number", "score"),
        (4, "missing_score", "score"),
        (5, "out_of_range", "answered_at"),
        (6, "ambiguous_date", "answered_at"),
        (7, "ragged_row", None),
        (8, "unclosed_quote", None),
        (9, "out_of_range", "answered_at"),
    ]
    await collector.events(RESPONSES, 2)
    report = await collector.client.get(job["report"])
    assert report.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(report.text)))
    expected = [(problem["line"], problem["code"]) for problem in job["problems"]]
    assert [(int(row["line"]), row["code"]) for row in rows] == expected
    assert {row["outcome"] for row in rows} == {"bad"}
    assert all(row["reason"] for row in rows)


async def test_a_file_that_was_imported_before_is_told_as_such(collector: Running) -> None:
    content = TABLE.replace("acme", "again").encode()
    first = await finished(collector, content)
    again = await finished(collector, content)
    assert (first["same_as"], again["same_as"]) == (None, first["id"])
    assert counts(again) == ("done", 2, 0, 0)
    for other in (
        await finished(collector, content + b"again,eve@acme.example,9,,2026-03-31\n"),
        await finished(collector, content, columns="product=Comment"),
        await finished(collector, content, answered_at="2026-01-01T00:00:00Z"),
    ):
        assert other["same_as"] is None, "another file, or another way to read it"


async def test_a_directory_file_that_comes_again_sets_back_what_was_changed_since(collector: Running) -> None:
    content = b"account_id,name,tier\nsame,Same Ltd,key\n"
    await finished(collector, content, kind="accounts")
    assert (await collector.client.patch("/v1/accounts/same", json={"tier": "small"})).status_code == 200
    again = await finished(collector, content, kind="accounts")
    assert (again["same_as"], *counts(again)) == (None, "done", 1, 0, 0)
    assert (await collector.client.get("/v1/accounts/same")).json()["tier"] == "key"


async def test_the_same_file_twice_carries_the_same_ids_and_equal_rows_different_ones(collector: Running) -> None:
    content = TABLE + TABLE.split("\n", 1)[1]
    for _ in range(2):
        assert counts(await finished(collector, content.encode())) == ("done", 4, 0, 0)
    found = [data.response_id for data in responses(await collector.events(RESPONSES, 8))]
    assert len(set(found)) == 4
    assert all(found.count(response_id) == 2 for response_id in found)


async def test_mapped_columns_constants_and_a_named_date_format(collector: Running) -> None:
    content = "airline,who,stars,when,cabin\nblue,p1,4.0,31/03/2026,Economy\nblue,p2,5,32/03/2026,Business\n"
    job = await finished(
        collector,
        content.encode(),
        columns="account_id=airline,stakeholder_id=who,score=stars,answered_at=when,attributes.cabin=cabin,"
        "survey_type==csat",
        date_format="DD/MM/YYYY",
        alerts="true",
    )
    assert counts(job) == ("done", 1, 0, 1)
    assert job["columns"]["survey_type"] == "=csat"
    assert job["ignored_columns"] == []
    (event,) = await collector.events(RESPONSES, 1)
    assert isinstance(event.data, ResponseRecorded)
    assert (event.data.survey_type, event.data.score, event.data.attributes) == ("csat", 4, {"cabin": "Economy"})
    assert (event.data.quiet, event.data.answered_at.isoformat()) == (False, "2026-03-31T12:00:00+00:00")


async def test_names_with_slashes_stand_for_ids_and_two_of_one_id_are_a_bad_row(collector: Running) -> None:
    accounts = b"Company,Industry\nLund/Nord A/S,pharma\nLund-Nord A/S,pharma\n"
    job = await finished(collector, accounts, kind="accounts")
    assert counts(job) == ("done", 1, 0, 1)
    assert [(problem["line"], problem["code"]) for problem in job["problems"]] == [(3, "same_id")]
    assert (await collector.client.get("/v1/accounts/Lund-Nord A-S")).json()["name"] == "Lund/Nord A/S"
    await finished(collector, b"account,email,score\nLund/Nord A/S,p@x.example,9\n")
    async with collector.app.state.plumbing.database.read() as tx:
        assert await tx.scalar("select count(*) from imports where columns ? 'names'") == 0
    [answer] = responses(await collector.events(RESPONSES, 1))
    assert answer.account_id == "Lund-Nord A-S"


async def test_the_text_of_a_question_names_its_column(collector: Running) -> None:
    question = "How likely, on a scale of 0-10 (10=best), are you to recommend us?"
    content = f'account,person,"{question}"\nasked,ann,9\n'.encode()
    job = await finished(collector, content, columns=f"score={question},survey_type==nps")
    assert counts(job) == ("done", 1, 0, 0)
    assert job["columns"]["score"] == question


async def test_local_times_are_those_of_the_zone_that_is_named(collector: Running) -> None:
    content = b"account,person,score,date\nlocal,a,9,2026-03-29 02:30\nlocal,b,9,2026-03-29\n"
    job = await finished(collector, content, time_zone="Europe/Berlin")
    assert (job["time_zone"], *counts(job)) == ("Europe/Berlin", "done", 2, 0, 0)
    assert [(noted["line"], noted["outcome"], noted["code"]) for noted in job["problems"]] == [
        (2, "noted", "local_time_gap")
    ]
    found = responses(await collector.events(RESPONSES, 2))
    assert sorted(data.answered_at.isoformat() for data in found) == [
        "2026-03-29T01:30:00+00:00",
        "2026-03-29T10:00:00+00:00",
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gzip.compress(TABLE.encode()), id="gzip"),
        pytest.param(TABLE.encode("cp1252"), id="Windows-1252"),
        pytest.param(workbook({"Answers": [line.split(",") for line in TABLE.splitlines()]}), id="workbook"),
    ],
)
async def test_a_file_may_be_packed_or_a_workbook_and_is_the_same_file(collector: Running, content: bytes) -> None:
    job = await finished(collector, content)
    assert counts(job) == ("done", 2, 0, 0)
    remarks = [remark["code"] for remark in job["remarks"]]
    assert remarks in ([], ["read_as_windows_1252"])
    found = responses(await collector.events(RESPONSES, 2))
    assert PINNED in {data.response_id for data in found}


async def test_a_workbook_of_several_sheets_is_taken_by_the_one_that_is_named(collector: Running) -> None:
    rows = [["account", "person", "score"], ["sheets", "ann", "9"]]
    content = workbook({"May": rows, "June": [*rows, ["sheets", "bob", "8"]]})
    refused = await collector.client.post(
        "/v1/imports", data={"kind": "responses"}, files={"file": ("a.xlsx", content)}
    )
    assert [(error["code"], "May, June" in error["detail"]) for error in refused.json()["errors"]] == [
        ("several_sheets", True)
    ]
    job = await finished(collector, content, sheet="June")
    assert counts(job) == ("done", 2, 0, 0)


async def test_rows_without_a_date_are_answered_when_the_import_says_or_came(collector: Running) -> None:
    content = b"account,person,score\nacme,ann,9\n"
    await finished(collector, content, answered_at="2026-02-01T00:00:00Z")
    await finished(collector, content)
    named, now = responses(await collector.events(RESPONSES, 2))
    assert named.answered_at.isoformat() == "2026-02-01T00:00:00+00:00"
    assert "answered_at" in named.sent
    assert now.answered_at == now.recorded_at
    assert "answered_at" not in now.sent


async def test_the_report_names_rows_whose_address_belongs_to_another_person(collector: Running) -> None:
    people = (
        b"account_id,stakeholder_id,name,email\nshared,C-17,Ann,office@shared.example\n"
        b"shared,C-18,Ben,office@shared.example\n"
    )
    job = await finished(collector, people, kind="stakeholders")
    assert counts(job) == ("done", 2, 0, 0)
    [noted] = job["problems"]
    told = (3, "address_in_use", "email")
    assert (noted["line"], noted["code"], noted["field"], noted["outcome"]) == (*told, "noted")
    assert "office@" not in noted["reason"]
    again = await finished(collector, people, kind="stakeholders")
    assert counts(again) == ("done", 0, 2, 0)
    assert [problem["code"] for problem in again["problems"]] == ["unchanged", "address_in_use"]
    report = (await collector.client.get(again["report"])).text
    assert "3,skipped,address_in_use,email," in report


async def test_accounts_and_people_come_by_file_and_what_says_nothing_new_is_skipped(collector: Running) -> None:
    accounts = b"Account ID,Name,Industry,Tier,Owner Email\nacme,Acme,Freight,Key,kim@us.example\nbeta,Beta,FM,huge,\n"
    job = await finished(collector, accounts, kind="accounts")
    assert counts(job) == ("done", 2, 0, 0)
    [noted] = job["problems"]
    assert (noted["line"], noted["outcome"], noted["code"], noted["field"]) == (3, "noted", "kept_as_attribute", "tier")
    people = b"Account,First Name,Last Name,Email,Role\nacme,Ann,Lee,ann@acme.example,Decision Maker\n"
    assert counts(await finished(collector, people, kind="stakeholders")) == ("done", 1, 0, 0)
    again = await finished(collector, accounts, kind="accounts")
    assert counts(again) == ("done", 0, 2, 0)
    assert [problem["outcome"] for problem in again["problems"]] == ["skipped", "skipped"]
    account, *_ = await collector.events(DIRECTORY, 3)
    assert isinstance(account.data, AccountUpserted)
    assert (account.data.industry, account.data.tier) == ("logistics", "key")
    ann = (await collector.client.get("/v1/accounts/acme/stakeholders/ann@acme.example")).json()
    assert (ann["name"], ann["type"]) == ("Ann Lee", "decision_maker")


@pytest.mark.parametrize(
    ("content", "form", "field", "code"),
    [
        (b"", {}, "file", "empty_file"),
        (b"account,person,score\n", {}, "file", "no_rows"),
        (b"PK\x03\x04\x00\x00\x00", {}, "file", "unreadable_workbook"),
        (b"a,b,c\n1,2,3\n", {}, "account_id", "missing_column"),
        (b"account,person,score\nacme,ann,9\n", {"columns": "comment=remarks"}, "comment", "unknown_column"),
        (b"account,person,score\nacme,ann,9\n", {"columns": "comment==a\0b"}, "columns", "nul_character"),
        (b"account,person,score\nacme,ann,9\n", {"date_format": "DD/MM/YYYY\0"}, "date_format", "nul_character"),
        (b"account,person,score\nacme,ann,9\n", {"columns": "[1]"}, "columns", "invalid_columns"),
        (b"account,person,score\nacme,ann,9\n", {"columns": '{"score": 1}'}, "columns", "invalid_columns"),
        (b"account,person,score\nacme,ann,9\n", {"date_format": "MM/YYYY"}, "date_format", "invalid_date_format"),
        (
            b"account,person,score\nacme,ann,9\n",
            {"date_format": "DD/MM/YYYYYYYY"},
            "date_format",
            "invalid_date_format",
        ),
        (b"account,person,score\nacme,ann,9\n", {"time_zone": "Mars/Base"}, "time_zone", "unknown_time_zone"),
        (b"account,person,score\nacme,ann,9\n", {"sheet": "May"}, "file", "no_sheets"),
        (b"account,person,rating\nacme,ann,5\n", {}, "survey_type", "survey_type_needed"),
        (b"account,person,score\nacme,ann,9\n", {"format": "tellback_accounts"}, "format", "other_kind"),
        (b"account,person,score\nacme,ann,9\n", {"answered_at": "yesterday"}, "answered_at", "invalid_time"),
        (b"account,person,score\nacme,ann,9\n", {"answered_at": "2026-07-01T00:00:00Z"}, "answered_at", "out_of_range"),
        (b"account,person,score\nacme,ann,9\n", {"kind": "people"}, "kind", "literal_error"),
        (b"account,person,score\nacme,ann,9\n", {"mood": "good"}, "mood", "unknown_field"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_at_once(
    shared_collector: Running, content: bytes, form: dict[str, str], field: str, code: str
) -> None:
    answer = await shared_collector.client.post(
        "/v1/imports", data={"kind": "responses"} | form, files={"file": ("a.csv", content)}
    )
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]


async def test_a_limited_key_sees_its_own_imports_only(collector: Running) -> None:
    job = await finished(collector, TABLE.encode())
    kim = bearer(await api_key(collector.environment, ["ingest"], "kim@us.example"))
    for address in (f"/v1/imports/{job['import_id']}", job["report"]):
        assert (await collector.client.get(address, headers=kim)).status_code == 404
        assert (await collector.client.get(address)).status_code == 200
    act = bearer(await api_key(collector.environment, ["act"]))
    assert (await collector.client.get(job["report"], headers=act)).status_code == 403


async def test_nothing_of_a_finished_file_is_kept(collector: Running) -> None:
    await finished(collector, TABLE.encode())
    async with collector.app.state.plumbing.database.read() as tx:
        assert await tx.scalar("select count(*) from import_pieces") == 0
        assert await tx.scalar("select count(*) from import_occurrences") == 0


async def test_a_file_over_the_limit_is_refused_before_it_is_read(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_COLLECTOR_IMPORT_MAX_MEGABYTES", "1")
    async with started(environment) as collector:
        answer = await collector.client.post(
            "/v1/imports", data={"kind": "responses"}, files={"file": ("a.csv", b"x" * 1_100_000)}
        )
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_key_whose_files_wait_is_told_to_come_again_later(
    collector: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MOST_WAITING", 0)
    refused = await collector.client.post(
        "/v1/imports", data={"kind": "responses"}, files={"file": ("a.csv", TABLE.encode())}
    )
    assert_problem(refused, 429, "too_many_imports")
    assert int(refused.headers["retry-after"]) > 0
    async with collector.app.state.plumbing.database.read() as tx:
        assert await tx.scalar("select count(*) from imports") == 0


async def test_the_name_of_a_file_may_be_anything(collector: Running) -> None:
    for name in ("a\x00b.csv", "../../etc/passwd", "x" * 1_000, "café\u202e.csv"):
        answer = await collector.client.post(
            "/v1/imports", data={"kind": "responses"}, files={"file": (name, TABLE.encode())}
        )
        assert answer.status_code == 202
        assert len(answer.json()["file_name"]) <= 200
