"""What a delimited file would become, read without storing anything."""

import io

import pytest

from services.collector.handlers.import_drafts import SAMPLES, SHOWN_ROWS, FileReading, Look, look_at

PLAIN = "Account,Email,Score,Date\nacme,ann@acme.example,9,2026-03-31\nacme,bob@acme.example,x,2026-03-30\n"


def look(text: str, **wanted: object) -> Look:
    file = io.BytesIO(text.encode())
    found = look_at(file, "responses", FileReading(**wanted), "Europe/Lisbon")  # type: ignore[arg-type]
    assert file.tell() == 0, "the file is left at its start"
    return found


def test_rows_are_shown_as_they_would_be_stored_or_with_the_field_at_fault() -> None:
    found = look(PLAIN)
    ann, bob = found.preview
    assert (found.rows, found.asks) == (2, [])
    assert ann.values is not None
    assert ann.values["answered_at"].startswith("2026-03-31T11:00"), "noon of the deployment's zone"
    assert (bob.values, bob.skipped, bob.field) == (None, False, "score")


def test_only_the_first_rows_and_a_few_samples_are_shown() -> None:
    found = look("Account,Email,Score\n" + "".join(f"a{n},p{n}@a.example,9\n" for n in range(50)))
    assert (found.rows, len(found.preview)) == (50, SHOWN_ROWS)
    assert {name: len(samples) for name, samples in found.header} == {"Account": SAMPLES, "Email": SAMPLES, "Score": 1}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Who,What\na,b\n", [(name, "missing_column") for name in ("account_id", "stakeholder_id", "score")]),
        ("Account,Email,Rating\nacme,a@a.example,4\n", [("survey_type", "survey_type_needed")]),
        ("Account,Email,Score,Date\nacme,a@a.example,9,03/04/2026\n", [("date_format", "date_format_needed")]),
        ("Account,Email,Score\n", [("file", "no_rows")]),
        ("", [("file", "empty_file")]),
    ],
)
def test_what_cannot_be_told_is_asked(text: str, asked: list[tuple[str, str]]) -> None:
    assert [(ask["field"], ask["code"]) for ask in look(text).asks] == asked


def test_columns_of_another_sheet_are_asked_for_beside_what_there_is() -> None:
    found = look(PLAIN, mapping={"score": "Moons"})
    assert ("score", "unknown_column") in [(ask["field"], ask["code"]) for ask in found.asks]
    assert [name for name, _ in found.header] == ["Account", "Email", "Score", "Date"]
    assert found.preview == []
