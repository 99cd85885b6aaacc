"""How far an import is, what of an upload goes on to the collector, and what a receipt counts."""

from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest

from services.dashboard.web.bring.report import Brought
from services.dashboard.web.bring.transfer import _framing
from services.dashboard.web.directory.receipt import _counts, _done
from shared.api.imports import IMPORT, ROWS, ImportedRows, ImportView


def brought(job: dict[str, Any], read: int | None) -> Brought:
    """Both halves of a report; no number of read rows: the scorer does not answer."""
    rows = None
    if read is not None:
        rows = ImportedRows.model_validate(ROWS | {"read": read})
    return Brought(ImportView.model_validate(IMPORT | job), rows)


@pytest.mark.parametrize(
    ("job", "read", "under_way", "counted"),
    [
        ({"state": "queued", "taken": 0}, 0, True, 0.0),
        ({"state": "running", "taken": 500}, 250, True, 0.5),
        ({"state": "done", "taken": 1000}, 999, True, 0.999),
        ({"state": "done", "taken": 1000}, 1000, False, 1.0),
        ({"state": "done", "taken": 1000}, None, True, 0.0),
        ({"state": "done", "taken": 0}, 0, False, 1.0),
        ({"state": "failed", "taken": 10}, 10, False, 1.0),
        ({"state": "failed", "taken": 10}, 3, True, 0.3),
        ({"state": "running", "kind": "accounts", "taken": 3}, None, True, 0.0),
        ({"state": "done", "kind": "accounts", "taken": 3}, None, False, 0.0),
    ],
)
def test_an_import_is_under_way_until_what_it_has_taken_is_counted(
    job: dict[str, Any], read: int | None, under_way: bool, counted: float
) -> None:
    found = brought(job, read)
    assert (found.under_way, found.counted) == (under_way, counted)


@pytest.mark.parametrize(
    ("name", "passed_on"),
    [
        ("answers.csv", "answers.csv"),
        ("Größe ½.xlsx", "Größe ½.xlsx"),
        ('a"; filename="b.csv', "a; filename=b.csv"),
        ("a\r\nContent-Type: text/html\r\n\r\n.csv", "aContent-Type: text/html.csv"),
        ("..\\..\\etc\\passwd", "....etcpasswd"),
        ("", "file"),
        ("\r\n", "file"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
    ],
)
def test_the_name_of_a_file_cannot_break_out_of_its_part(name: str, passed_on: str) -> None:
    head, tail = _framing("b0undary", "responses", name)
    kind, file = parts_of(head + b"Account,Email\r\n" + tail)
    assert kind == ("kind", None, "responses")
    assert file == ("file", passed_on, "Account,Email\r\n")


@pytest.mark.parametrize("kind", ["accounts\r\n--b0undary", "acc ounts", "a" * 50])
def test_the_kind_of_a_file_stays_one_word(kind: str) -> None:
    head, tail = _framing("b0undary", kind, "a.csv")
    (name, _, value), _ = parts_of(head + tail)
    assert name == "kind"
    assert len(value) <= 20
    assert not any(map(str.isspace, value))


def parts_of(body: bytes) -> list[tuple[str, str | None, str]]:
    """Name, file name and text of the parts of a form with the boundary `b0undary`."""
    head = b'Content-Type: multipart/form-data; boundary="b0undary"\r\n\r\n'
    message = BytesParser(policy=HTTP.clone(utf8=True)).parsebytes(head + body)
    found = []
    for part in message.iter_parts():
        disposition = part["content-disposition"]
        found.append((disposition.params["name"], disposition.params.get("filename"), str(part.get_payload())))
    return found


def test_a_receipt_counts_in_words() -> None:
    part = {"receipt_id": "r", "applied_at": "2026-12-02T06:00:00Z", "ids": 2, "stakeholders": 1, "follow_ups": 0}
    assert _counts(part) == "2 ids, 1 record of the directory, 0 follow-ups"


@pytest.mark.parametrize(
    ("parts", "done"),
    [
        ({"collector": {"applied_at": "2026-12-02T06:00:00Z"}}, True),
        ({"collector": {"applied_at": "2026-12-02T06:00:00Z"}, "scorer": None}, False),
        ({"collector": {"applied_at": "2026-12-02T06:00:00Z"}, "scorer": {"applied_at": None}}, False),
    ],
)
def test_an_erasure_is_done_when_every_service_says_so(parts: Any, done: bool) -> None:
    assert _done(parts) is done
