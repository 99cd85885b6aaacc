"""Which column is which field."""

from typing import get_args

import pytest
from pydantic import BaseModel

from services.collector.domain.columns import (
    ACCOUNTS,
    RESPONSES,
    STAKEHOLDERS,
    SYNONYMS,
    ColumnError,
    Kind,
    match_columns,
    missing,
)
from services.collector.handlers.inputs.directory import AccountInput, RecordInput, StakeholderInput
from services.collector.handlers.inputs.fields import Input

ATTRIBUTES = {"attributes"}


def matched(kind: Kind, header: str, **mapping: str) -> dict[str, str]:
    names = header.split(",")
    columns = match_columns(kind, names, {field.replace("__", "."): name for field, name in mapping.items()})
    return {field: names[place] for field, place in columns.places.items()} | dict(columns.constants)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "Account Name,Email,Job Level,Score,Comment,Date",
            {
                "account_id": "Account Name",
                "email": "Email",
                "score": "Score",
                "comment": "Comment",
                "answered_at": "Date",
            },
        ),
        (
            "ACCOUNT_ID,account-name,Respondent,nps,Response Date",
            {
                "account_id": "ACCOUNT_ID",
                "stakeholder_id": "Respondent",
                "score": "nps",
                "answered_at": "Response Date",
            },
        ),
        (
            "company,e-mail,CSAT Score",
            {"account_id": "company", "email": "e-mail", "score": "CSAT Score", "survey_type": "csat"},
        ),
    ],
)
def test_the_names_people_use_are_recognised(header: str, expected: dict[str, str]) -> None:
    assert matched(RESPONSES, header) == expected


def test_a_directory_file_is_recognised() -> None:
    header = "Account Name,Parent Account,Account Manager,Account Manager Email,Industry,Annual Revenue,Currency"
    assert matched(ACCOUNTS, header) == {
        "account_id": "Account Name",
        "name": "Account Name",
        "parent_account_id": "Parent Account",
        "owner.name": "Account Manager",
        "owner.email": "Account Manager Email",
        "industry": "Industry",
        "annual_revenue.amount": "Annual Revenue",
        "annual_revenue.currency": "Currency",
    }
    assert matched(STAKEHOLDERS, "Account,First Name,Last Name,Email,Job Level,Job Title") == {
        "account_id": "Account",
        "first_name": "First Name",
        "last_name": "Last Name",
        "email": "Email",
        "job_level": "Job Level",
        "job_title": "Job Title",
    }


def test_what_is_mapped_wins_and_the_rest_is_still_recognised() -> None:
    found = matched(RESPONSES, "airline,traveller,rate,date,cabin", account_id="airline", stakeholder_id="traveller",
                    score="rate", attributes__cabin="cabin", survey_type="=nps")  # fmt: skip
    assert found == {
        "account_id": "airline",
        "stakeholder_id": "traveller",
        "score": "rate",
        "answered_at": "date",
        "attributes.cabin": "cabin",
        "survey_type": "nps",
    }


def test_an_empty_mapping_leaves_a_recognised_column_out() -> None:
    assert "comment" not in matched(RESPONSES, "account,email,score,comment", comment="")


def test_the_mapping_may_be_written_from_the_column() -> None:
    columns = match_columns(RESPONSES, ["airline", "who", "rate"],
                            {"airline": "account_id", "who": "stakeholder_id", "rate": "score"})  # fmt: skip
    assert dict(columns.places) == {"account_id": 0, "stakeholder_id": 1, "score": 2}


@pytest.mark.parametrize("column", ["Respondent ID", "Contact", "Respondent", "Person", "Recipient"])
def test_beside_an_address_a_number_or_a_name_is_never_the_person(column: str) -> None:
    beside = matched(RESPONSES, f"account,{column},email,score")
    assert "stakeholder_id" not in beside
    assert matched(RESPONSES, f"account,{column},score")["stakeholder_id"] == column
    mapped = matched(RESPONSES, f"account,{column},where to,score", email="where to")
    assert "stakeholder_id" not in mapped
    assert matched(RESPONSES, f"account,{column},email,score", stakeholder_id=column)["stakeholder_id"] == column


def test_ids_of_a_crm_are_the_person_also_beside_an_address() -> None:
    for column in ("Stakeholder ID", "Contact ID", "User ID"):
        assert matched(RESPONSES, f"account,{column},email,score")["stakeholder_id"] == column


def test_columns_that_are_not_taken_are_listed() -> None:
    assert match_columns(RESPONSES, ["account", "email", "score", "mood", ""], {}).ignored == ("mood",)


@pytest.mark.parametrize(
    ("header", "mapping", "code", "field"),
    [
        ("account,email,score", {"scor": "rating of it"}, "unknown_field", "columns"),
        ("account,email,score", {"comment": "remarks"}, "unknown_column", "comment"),
        ("account,email,score,rate,Rate ", {"score": "RATE"}, "ambiguous_column", "score"),
    ],
)
def test_columns_that_cannot_be_matched_are_named(header: str, mapping: dict[str, str], code: str, field: str) -> None:
    with pytest.raises(ColumnError) as refused:
        match_columns(RESPONSES, header.split(","), mapping)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_all_that_no_column_says_is_asked_at_once() -> None:
    asked = [(lacking.code, lacking.field) for lacking in missing(match_columns(RESPONSES, ["mood"], {}))]
    assert asked == [("missing_column", field) for field in ("account_id", "stakeholder_id", "score")]
    assert [lacking.field for lacking in missing(match_columns(ACCOUNTS, ["mood"], {}))] == ["account_id"]
    assert missing(match_columns(RESPONSES, ["account", "email", "score"], {})) == []


def members(model: type[BaseModel]) -> set[str]:
    """The members of an input, those of an object within as `owner.name`, without attributes, whose columns have any
    name, and without what a change is guarded by."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        within = [kind for kind in get_args(field.annotation) if isinstance(kind, type) and issubclass(kind, Input)]
        if within:
            found |= {f"{name}.{member}" for member in within[0].model_fields}
        else:
            found.add(name)
    return found - ATTRIBUTES - RecordInput.model_fields.keys()


def test_every_member_of_an_account_may_be_a_column_of_a_file() -> None:
    assert members(AccountInput) == SYNONYMS[ACCOUNTS].keys() - ATTRIBUTES


def test_every_member_of_a_person_may_be_a_column_of_a_file_and_their_name_two() -> None:
    one_by_one = {"previous.account_id", "previous.stakeholder_id"}  # a move to another account is a call of its own
    columns = (members(StakeholderInput) - one_by_one) | {"first_name", "last_name"}
    assert columns == SYNONYMS[STAKEHOLDERS].keys() - ATTRIBUTES
