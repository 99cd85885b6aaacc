"""Small numbers as ids are ids within their survey, in files; dates without a time are in the order of the file."""

import io

import pytest

from services.collector.domain.columns import RESPONSES
from services.collector.domain.dates import PLAIN, DateReading, moment
from services.collector.handlers.import_files import check_file, reading_of
from services.collector.handlers.import_rows import ReadRow, ResponseRow, RowReader
from shared.errors import Invalid
from shared.files.table import BadRow

HEADER = "response_id,account_id,person,score,survey_id\n"
OWN = "response_id,account_id,stakeholder_id,score,category,recorded_at,updated_at,answers,attributes,revision\n"


def read(text: str, **mapping: str) -> list[ReadRow]:
    file = io.BytesIO(text.encode())
    columns = check_file(file, RESPONSES, mapping).columns
    return RowReader(file, reading_of(columns)).read(5_000)


def ids(rows: list[ReadRow]) -> list[str | None]:
    return [row.body.response_id for row in rows if isinstance(row, ResponseRow)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("17", "spring:17"),
        ("999999999", "spring:999999999"),
        ("1000000000", "1000000000"),
        ("007", "spring:007"),
        ("r17", "r17"),
        ("0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a", "0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a"),
    ],
)
def test_only_small_numbers_get_their_survey_before_them(given: str, kept: str) -> None:
    assert ids(read(f"{HEADER}{given},acme,ann,9,spring\n")) == [kept]


def test_two_surveys_may_number_their_answers_alike() -> None:
    first, second = ids(read(f"{HEADER}1,acme,ann,9,spring\n1,acme,ann,9,autumn\n"))
    assert (first, second) == ("spring:1", "autumn:1")


def test_an_id_that_would_be_too_long_is_a_hash_that_stays_the_same() -> None:
    [first], [again] = [ids(read(f"{HEADER}1,acme,ann,9,{'s' * 199}\n")) for _ in range(2)]
    assert first == again
    assert first is not None
    assert len(first) == 36


def test_a_file_that_numbers_its_answers_and_names_no_survey_is_refused_before_anything_is_stored() -> None:
    rows = "".join(f"r{number},acme,ann,9,\n" for number in range(998))
    with pytest.raises(Invalid) as refused:
        read(f"{HEADER}{rows}17,acme,ann,9,\n")
    assert [error["code"] for error in refused.value.errors or []] == ["survey_needed"]
    assert ids(read(f"{HEADER}17,acme,ann,9,\n", survey_id="=spring")) == ["spring:17"]


def test_a_later_row_that_names_no_survey_is_bad() -> None:
    rows = "".join(f"r{number},acme,ann,9,\n" for number in range(1_000))
    last = read(f"{HEADER}{rows}17,acme,ann,9,\n")[-1]
    assert isinstance(last, BadRow)
    assert (last.line, last.code, last.field) == (1_002, "survey_needed", "response_id")


def test_an_export_of_our_own_keeps_its_ids_and_reads_answers_and_attributes() -> None:
    answers = '"[{""question_id"":""q"",""type"":""rating"",""attribute"":null,""value"":4}]"'
    [row] = read(f'{OWN}17,acme,ann,9,,,,{answers},"{{""plan"":""gold""}}",1\n')
    assert isinstance(row, ResponseRow)
    assert (row.body.response_id, row.body.attributes) == ("17", {"plan": "gold"})
    assert [(answer.question_id, answer.value) for answer in row.body.answers or ()] == [("q", 4)]


def test_a_cell_that_is_no_json_is_a_bad_row() -> None:
    [row] = read(f"{OWN}r17,acme,ann,9,,,,what they said,,1\n")
    assert isinstance(row, BadRow)
    assert (row.code, row.field) == ("not_json", "answers")


@pytest.mark.parametrize("cell", ["2026-10-05", "5. Oktober 2026", "2026-10-05 UTC", "46300", "46300.0"])
def test_a_date_without_a_time_is_a_day(cell: str) -> None:
    assert moment(cell, PLAIN).is_day


@pytest.mark.parametrize(
    "cell", ["2026-10-05T12:00:00Z", "1791194400", "1791194400000", "46300.5", "2026-10-05 3:00 PM"]
)
def test_a_time_is_no_day(cell: str) -> None:
    assert not moment(cell, PLAIN).is_day


def test_a_named_form_says_whether_dates_are_days() -> None:
    assert moment("05.10.2026", DateReading("%d.%m.%Y")).is_day
    assert not moment("05.10.2026 12", DateReading("%d.%m.%Y %H")).is_day


@pytest.mark.parametrize(
    ("dates", "newest_first"),
    [
        (["2026-10-05", "2026-10-06"], False),
        (["2026-10-06", "", "2026-10-05"], True),
        (["soon", "2026-10-06", "2026-10-05", "never"], True),
        (["2026-10-05", "2026-10-05"], False),
        ([""], False),
    ],
)
def test_a_file_goes_as_its_first_date_against_its_last(dates: list[str], newest_first: bool) -> None:
    rows = "".join(f"acme,ann,9,{date}\n" for date in dates)
    file = io.BytesIO(f"account,person,score,date\n{rows}".encode())
    assert check_file(file, RESPONSES, {}).columns.newest_first is newest_first
