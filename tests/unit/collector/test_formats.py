"""Exports of other tools: their columns, their dates, and the rows that are no answers."""

import io

import pytest

from services.collector.domain.columns import RESPONSES, ColumnError
from services.collector.domain.rows import PASSED_OVER
from services.collector.handlers.import_files import check_file, reading_of
from services.collector.handlers.import_rows import ReadRow, ResponseRow, RowReader
from shared.errors import Invalid
from shared.files.table import BadRow

DELIGHTED = """id,person,person_email,survey_type,score,comment,permalink,created_at,\
person_properties.company,person_properties.country
5435,10,ann@acme.example,nps,9,On time,https://app.delighted.com/r/5,1713418460,acme,UK
5436,11,bob@acme.example,nps,0,,https://app.delighted.com/r/6,2024-04-18T06:00:00Z,acme,
"""
FORMBRICKS = """No.,Response ID,Timestamp,Finished,Survey ID,Formbricks ID (internal),User ID,Tags,url,\
1. How likely?,2. Why?,company
1,clx1,2024-06-15 10:00:00,Yes,s1,c1,ann,vip,https://acme.example,9,On time,acme
2,clx2,2024-06-15 24:15:00,No,s1,c2,bob,,https://acme.example,0,,acme
"""
POSTHOG = """*.uuid,*.event,*.timestamp,*.distinct_id,*.properties.$survey_id,\
*.properties.$survey_response,*.properties.$survey_response_1,*.properties.$survey_submission_id,\
*.properties.$survey_completed,*.properties.$groups.company
u1,survey shown,2024-05-01T12:00:00.123000Z,ann,s1,,,,,acme
u2,survey sent,2024-05-01T12:00:01.123000Z,ann,s1,9,,sub1,false,acme
u3,survey sent,2024-05-01T12:00:02.123000Z,ann,s1,9,On time,sub1,true,acme
"""


def read(content: str, name: str | None = None, **mapping: str) -> list[ReadRow]:
    file = io.BytesIO(content.encode())
    columns = check_file(file, RESPONSES, mapping, name).columns
    return RowReader(file, reading_of(columns)).read(10)


def taken(rows: list[ReadRow]) -> list[tuple[str | None, str, str | None, int, str | None, str]]:
    return [
        (
            row.body.response_id,
            row.body.account_id,
            row.body.stakeholder_id or row.body.email,
            row.body.score,
            row.body.comment or None,
            row.body.answered_at.isoformat() if row.body.answered_at else "",
        )
        for row in rows
        if isinstance(row, ResponseRow)
    ]


def test_delighted_keeps_ids_and_unix_times() -> None:
    rows = read(DELIGHTED, "delighted")
    assert taken(rows) == [
        ("delighted:5435", "acme", "ann@acme.example", 9, "On time", "2024-04-18T05:34:20+00:00"),
        ("delighted:5436", "acme", "bob@acme.example", 0, None, "2024-04-18T06:00:00+00:00"),
    ]
    first = rows[0]
    assert isinstance(first, ResponseRow)
    assert first.body.attributes == {"country": "UK"}


def test_formbricks_keeps_ids_and_reads_the_hour_after_midnight() -> None:
    rows = read(FORMBRICKS, "formbricks", score="1. How likely?", comment="2. Why?")
    assert taken(rows) == [
        ("clx1", "acme", "ann", 9, "On time", "2024-06-15T10:00:00+00:00"),
        ("clx2", "acme", "bob", 0, None, "2024-06-15T00:15:00+00:00"),
    ]


def test_formbricks_needs_the_question_named() -> None:
    with pytest.raises(Invalid) as refused:
        read(FORMBRICKS, "formbricks")
    assert [error["field"] for error in refused.value.errors or []] == ["score"]


def test_posthog_counts_the_last_row_of_each_submission() -> None:
    rows = read(POSTHOG)
    assert taken(rows) == [("sub1", "acme", "ann", 9, "On time", "2024-05-01T12:00:02.123000+00:00")]
    assert [row.code for row in rows if isinstance(row, BadRow)] == [PASSED_OVER, PASSED_OVER]
    header, *others = POSTHOG.splitlines()
    newest_first = "\n".join([header, *reversed(others)]) + "\n"
    assert taken(read(newest_first)) == taken(rows)


def test_posthog_counts_a_submission_that_was_never_completed() -> None:
    header = POSTHOG.splitlines()[0]
    [row] = read(f"{header}\nu9,survey sent,2024-05-01T12:00:01Z,bob,s1,2,,sub9,false,acme\n")
    assert taken([row]) == [("sub9", "acme", "bob", 2, None, "2024-05-01T12:00:01+00:00")]


def test_delighted_takes_a_row_without_an_address_for_its_person() -> None:
    content = DELIGHTED.replace("5436,11,bob@acme.example", "5436,p-11,")
    found = taken(read(content, "delighted"))
    assert [row[2] for row in found] == ["ann@acme.example", "p-11"]


def test_the_importer_has_the_last_word() -> None:
    [first, _] = read(DELIGHTED, "delighted", account_id="=other", comment="")
    assert isinstance(first, ResponseRow)
    assert (first.body.account_id, first.body.comment) == ("other", None)


def test_a_field_the_tool_does_not_export_is_left_to_the_usual_names() -> None:
    [row] = read("id,Respondent,Account,score\n1,ann,acme,7\n", "delighted")
    assert taken([row]) == [("delighted:1", "acme", "ann", 7, None, "")]


def test_columns_that_are_not_there_are_named() -> None:
    with pytest.raises((Invalid, ColumnError)):
        read("id,score\n1,7\n", "delighted")
