"""What is asked of outreach for many people, and the file that comes of it."""

import csv
import io
from typing import Any

import pytest

from services.dashboard.domain import asks as told
from services.dashboard.web.surveys.many import HEADS, body_of, line_of
from shared.api.asks import LinkProblem, LinkRow


def a_row(**other: Any) -> LinkRow:
    known: dict[str, Any] = {
        "account_id": "acme",
        "stakeholder_id": "ada@acme.example",
        "name": "=Ada",
        "email": "ada@acme.example",
        "language": "en",
        "invitation_id": "5d1f4c7e",
        "url": "https://ask.example/s/x",
        "expires_at": "2026-07-01T09:00:00Z",
        "problem": None,
    }
    return LinkRow.model_validate(known | other)


@pytest.mark.parametrize(
    ("values", "body"),
    [
        pytest.param({"survey_id": "srv_1"}, {"filter": {}, "handed_over": True}, id="everybody"),
        pytest.param(
            {"survey_id": "srv_1", "tier": "key", "owner": "kim@supplier.example", "region": ""},
            {"filter": {"tier": "key", "owner": "kim@supplier.example"}, "handed_over": True},
            id="what is left empty is not asked for",
        ),
        pytest.param(
            {"survey_id": "srv_1", "by_mailer": True, "language": "de"},
            {"filter": {}, "handed_over": False, "language": "de"},
            id="a mailer hands them over",
        ),
    ],
)
def test_what_is_chosen_becomes_the_call(values: dict[str, Any], body: dict[str, Any]) -> None:
    assert body_of(values) == body


def test_the_file_has_a_line_for_each_person_and_no_formula() -> None:
    problem = LinkProblem(reason="objected", detail="They objected.", again_at=None)
    refused = a_row(name=None, invitation_id=None, url=None, expires_at=None, problem=problem)
    text = told.csv_of(HEADS, [line_of(a_row()), line_of(refused)])
    made, other = csv.DictReader(io.StringIO(text))
    assert (made["name"], made["url"], made["problem"]) == ("'=Ada", "https://ask.example/s/x", "")
    assert made["expires_at"] == "2026-07-01T09:00:00+00:00"
    assert (other["name"], other["url"], other["problem"]) == ("", "", "objected: They objected.")
