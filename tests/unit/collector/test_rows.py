"""Rows of a file, validated as if each had been posted."""

import io

import pytest

from services.collector.domain.columns import ACCOUNTS, RESPONSES, STAKEHOLDERS, Kind, match_columns
from services.collector.domain.delimited import BadRow
from services.collector.domain.merging import merge_patch
from services.collector.domain.rows import Reading
from services.collector.handlers.import_rows import DirectoryRow, ReadRow, ResponseRow, RowReader, check_file
from shared.errors import Invalid


def read(kind: Kind, text: str, answered_at: str | None = None, **mapping: str) -> list[ReadRow]:
    file = io.BytesIO(text.encode())
    columns = match_columns(kind, text.splitlines()[0].split(","), mapping)
    return RowReader(file, Reading(columns, None, answered_at)).read(100)


def test_a_response_row() -> None:
    (row,) = read(
        RESPONSES, "Account,Email,Score,Comment,Date,Follow up\nAcme, Ann@acme.example ,10.0,,2026-03-31,yes\n"
    )
    assert isinstance(row, ResponseRow)
    assert row.line == 2
    assert row.body.model_dump(mode="json", exclude_unset=True) == {
        "account_id": "Acme",
        "email": "Ann@acme.example",
        "score": 10,
        "answered_at": "2026-03-31T00:00:00Z",
        "follow_up_requested": True,
        "survey_type": "nps",
    }


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        (",ann,9,2026-01-01", "missing_account", "account_id"),
        ("acme,,9,2026-01-01", "missing_person", "stakeholder_id"),
        ("acme,ann,,2026-01-01", "missing_score", "score"),
        ("acme,ann,9,", "missing_date", "answered_at"),
        ("acme,ann,9/10,2026-01-01", "not_a_whole_number", "score"),
        ("acme,ann,11,2026-01-01", "out_of_range", "score"),
        ("acme,ann,9,1970-01-01", "out_of_range", "answered_at"),
        ("acme,ann,9,01/02/2026", "ambiguous_date", "answered_at"),
        ("acme,a\x00b,9,2026-01-01", "invalid_id", "stakeholder_id"),
    ],
)
def test_a_bad_row_says_line_code_and_field(row: str, code: str, field: str) -> None:
    (bad,) = read(RESPONSES, f"account,person,score,date\n{row}\n")
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.code, bad.field) == (2, code, field)
    assert bad.reason


def test_rows_without_a_date_take_the_one_that_is_named() -> None:
    (row,) = read(RESPONSES, "account,person,score,date\nacme,ann,9,\n", answered_at="2026-02-01T00:00:00+00:00")
    assert isinstance(row, ResponseRow)
    assert row.body.answered_at is not None
    assert row.body.answered_at.isoformat() == "2026-02-01T00:00:00+00:00"


def test_the_same_values_give_the_same_id_however_the_file_is_written() -> None:
    (row,) = read(RESPONSES, "account,person,score\nacme,ann,9\n")
    (rewritten,) = read(RESPONSES, "score,note,who,client\n9.0,x, ann ,acme\n", stakeholder_id="who")
    (other,) = read(RESPONSES, "account,person,score\nacme,ann,8\n")
    digests = [found.digest for found in (row, rewritten, other) if isinstance(found, ResponseRow)]
    assert digests[0] == digests[1] != digests[2]


def test_a_row_with_its_own_id_needs_no_other() -> None:
    (row,) = read(RESPONSES, "response_id,account,person,score\nr1,acme,ann,9\n")
    assert isinstance(row, ResponseRow)
    assert (row.body.response_id, row.digest) == ("r1", None)


def test_an_account_row() -> None:
    header = "Account ID,Name,Tier,Annual Revenue,Currency,Owner Email,Renewal,Products,Industry,Mood"
    (row,) = read(ACCOUNTS, f"{header}\nacme,Acme Ltd,Premium,120000.0,eur,kim@us.example,2027-01-31,a;b,FM,\n")
    assert isinstance(row, DirectoryRow)
    assert (row.change.account_id, row.change.stakeholder_id) == ("acme", None)
    assert row.change.members == {
        "name": "Acme Ltd",
        "tier": "premium",
        "annual_revenue": {"amount": "120000.0", "currency": "EUR"},
        "owner": {"email": "kim@us.example"},
        "renewal_on": "2027-01-31",
        "products": ["a", "b"],
        "industry": "facilities_management",
    }


def test_a_stakeholder_row() -> None:
    (row,) = read(
        STAKEHOLDERS, "Account,First Name,Last Name,Email,Role\nacme,Ann,Lee,Ann@acme.example,Decision Maker\n"
    )
    assert isinstance(row, DirectoryRow)
    assert (row.change.account_id, row.change.stakeholder_id) == ("acme", "ann@acme.example")
    assert row.change.members == {"name": "Ann Lee", "email": "Ann@acme.example", "type": "decision_maker"}


def test_skipping_goes_on_where_a_step_ended() -> None:
    text = "account,person,score\n" + "".join(f"acme,p{n},9\n" for n in range(10))
    columns = match_columns(RESPONSES, ["account", "person", "score"], {})
    reader = RowReader(io.BytesIO(text.encode()), Reading(columns))
    reader.skip(7)
    assert [row.line for row in reader.read(2)] == [9, 10]
    assert [row.line for row in reader.read(5)] == [11]
    assert reader.read(5) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_file"), (b"account,person,score\n", "no_rows"), (b"a,b\n1,2\n", "missing_column")],
)
def test_a_file_that_cannot_be_imported_is_refused_at_once(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_file(io.BytesIO(content), RESPONSES, {})
    assert [error["code"] for error in refused.value.errors or []] == [code]


def test_checking_leaves_the_file_at_its_start() -> None:
    file = io.BytesIO(b"account,person,score\nacme,ann,9\n")
    check_file(file, RESPONSES, {})
    assert file.tell() == 0


def test_merging_is_member_by_member_and_null_removes() -> None:
    stored = {"name": "Acme", "owner": {"name": "Kim", "email": "kim@us.example"}, "products": ["a"]}
    patch = {"owner": {"email": "lou@us.example"}, "products": ["b"], "name": None, "tier": "key"}
    assert merge_patch(stored, patch) == {
        "owner": {"name": "Kim", "email": "lou@us.example"},
        "products": ["b"],
        "tier": "key",
    }
    assert stored["name"] == "Acme"


def test_a_name_with_a_slash_stands_for_an_id_and_is_kept() -> None:
    (account,) = read(ACCOUNTS, "Company,Industry\nLund/Nord A/S,pharma\n")
    (answer,) = read(RESPONSES, "account,email,score\nLund/Nord A/S,p@x.example,9\n")
    assert isinstance(account, DirectoryRow)
    assert isinstance(answer, ResponseRow)
    assert account.change.account_id == answer.body.account_id == "Lund-Nord A-S"
    assert account.change.members["name"] == "Lund/Nord A/S"


def test_two_names_that_would_become_one_account_are_a_bad_row() -> None:
    first, second, again = read(RESPONSES, "account,person,score\nA/S,p,9\nA-S,q,9\nA/S,r,9\n")
    assert isinstance(second, BadRow)
    assert (second.code, second.field) == ("same_id", "account_id")
    assert isinstance(first, ResponseRow)
    assert isinstance(again, ResponseRow)


def test_a_row_is_the_same_row_however_the_address_is_written() -> None:
    rows = read(RESPONSES, "account,email,score\nre1,ada@ed.example,9\nre1,ADA@ED.example,9\n")
    digests = [row.digest for row in rows if isinstance(row, ResponseRow)]
    assert digests[0] == digests[1]
