"""Rows of a file, validated as if each had been posted."""

import io

import pytest

from services.collector.domain.columns import ACCOUNTS, RESPONSES, STAKEHOLDERS, Kind, match_columns
from services.collector.domain.merging import merge_patch
from services.collector.domain.row_ids import SlashedNames
from services.collector.domain.rows import Reading
from services.collector.handlers.import_files import check_file, reading_of
from services.collector.handlers.import_rows import DirectoryRow, ReadRow, ResponseRow, RowReader
from services.collector.handlers.import_scan import scan
from shared.errors import Invalid
from shared.files.table import BadRow, Table


def read(kind: Kind, text: str, answered_at: str | None = None, **mapping: str) -> list[ReadRow]:
    file = io.BytesIO(text.encode())
    columns = match_columns(kind, text.splitlines()[0].split(","), mapping)
    table = Table(file)
    names = scan(table, Reading(columns)).names
    table.release()
    file.seek(0)
    return RowReader(file, Reading(columns, answered_at=answered_at, names=names)).read(100)


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
        "answered_at": "2026-03-31T12:00:00Z",
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
        ("..,ann,9,2026-01-01", "invalid_id", "account_id"),
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
    (rewritten,) = read(RESPONSES, "score,note,who,client\n9,x, ann ,acme\n", stakeholder_id="who")
    (other,) = read(RESPONSES, "account,person,score\nacme,ann,8\n")
    digests = [found.digest for found in (row, rewritten, other) if isinstance(found, ResponseRow)]
    assert digests[0] == digests[1] != digests[2]


def test_the_same_address_in_capitals_gives_the_same_id() -> None:
    header = "account,email,score,comment,date\n"
    rows = [
        read(RESPONSES, f"{header}{row}\n")[0]
        for row in ("re1,ada@ed.example,9,x,2026-10-05", "re1, ADA@ED.example ,9,x,2026-10-05")
    ]
    assert len({row.digest for row in rows if isinstance(row, ResponseRow)}) == 1
    (by_id,) = read(RESPONSES, "account,stakeholder_id,score\nre1,ADA@ED.example,9\n")
    assert isinstance(by_id, ResponseRow)
    assert by_id.body.stakeholder_id == "ada@ed.example"


def test_cells_of_a_row_without_an_id_are_its_identity_as_they_are_written() -> None:
    rows = [
        read(RESPONSES, f"account,person,score,date\nacme,ann,{score},{date}\n")[0]
        for score, date in (("9", "2026-10-05"), ("9.0", "2026-10-05"), ("9", "2026-10-05 12:00"))
    ]
    assert len({row.digest for row in rows if isinstance(row, ResponseRow)}) == 3


def test_names_that_stand_for_ids_lose_their_slashes_and_are_kept_as_names() -> None:
    (account,) = read(ACCOUNTS, "Company,Industry\nLund/Nord A/S,pharma\n")
    assert isinstance(account, DirectoryRow)
    assert (account.change.account_id, account.change.members["name"]) == ("Lund-Nord A-S", "Lund/Nord A/S")
    (answer,) = read(RESPONSES, "account,email,score\nLund/Nord A/S,p@x.example,9\n")
    assert isinstance(answer, ResponseRow)
    assert answer.body.account_id == "Lund-Nord A-S"
    (by_id,) = read(ACCOUNTS, "account id,industry\nA\\S,pharma\n")
    assert isinstance(by_id, DirectoryRow)
    assert (by_id.change.account_id, by_id.change.members["name"]) == ("A-S", "A\\S")


def test_two_names_that_would_become_one_id_are_a_bad_row() -> None:
    rows = read(
        RESPONSES, "account,email,score\nA/S,a@x.example,9\nA\\S,b@x.example,9\nA-S,c@x.example,9\nA/S,d@x.example,9\n"
    )
    assert [(row.line, row.code, row.field) for row in rows if isinstance(row, BadRow)] == [
        (3, "same_id", "account_id"),
        (4, "same_id", "account_id"),
    ]
    assert [row.line for row in rows if isinstance(row, ResponseRow)] == [2, 5]


def test_one_name_in_two_spellings_of_the_same_letters_is_one_name() -> None:
    rows = read(
        RESPONSES, "account,stakeholder id,score\nLu\u0301nd/Ab,a/b@x.example,9\nL\u00fand/Ab,A/B@x.example,9\n"
    )
    ids = {(row.body.account_id, row.body.stakeholder_id) for row in rows if isinstance(row, ResponseRow)}
    assert ids == {("L\u00fand-Ab", "a-b@x.example")}
    assert len(rows) == 2


def test_unknown_words_of_optional_fields_are_kept_as_attributes_and_told() -> None:
    (account,) = read(ACCOUNTS, "account id,tier\nacme,Huge Deal\n")
    (person,) = read(STAKEHOLDERS, "account,email,role\nacme,a@x.example,Champion\n")
    (answer,) = read(RESPONSES, "account,email,score,channel\nacme,a@x.example,9,Kiosk\n")
    assert isinstance(account, DirectoryRow)
    assert isinstance(person, DirectoryRow)
    assert isinstance(answer, ResponseRow)
    assert account.change.members == {"attributes": {"tier": "Huge Deal"}}
    assert person.change.members["attributes"] == {"type": "Champion"}
    assert (answer.body.channel, answer.body.attributes) == (None, {"channel": "Kiosk"})
    for row in (account, person, answer):
        assert [note.code for note in row.notes] == ["kept_as_attribute"]


def test_times_that_the_clocks_left_out_or_showed_twice_are_told_and_taken() -> None:
    text = "account,person,score,date\nacme,a,9,2026-03-29 02:30\nacme,b,9,2026-10-25 02:30\nacme,c,9,2026-10-05\n"
    columns = match_columns(RESPONSES, ["account", "person", "score", "date"], {})
    rows = RowReader(io.BytesIO(text.encode()), reading_of(columns, zone="Europe/Berlin")).read(9)
    notes = [[note.code for note in row.notes] for row in rows if isinstance(row, ResponseRow)]
    assert notes == [["local_time_gap"], ["local_time_twice"], []]


@pytest.mark.parametrize("score", ["Rating", "Value", "Stars", "How was it?"])
def test_a_column_of_ratings_with_nothing_above_five_asks_for_the_survey_type(score: str) -> None:
    content = f"account,email,{score}\nuq7,a@x.example,5\nuq7,b@x.example,4\nuq7,c@x.example,5\n".encode()
    with pytest.raises(Invalid) as refused:
        check_file(io.BytesIO(content), RESPONSES, {"score": score})
    [error] = refused.value.errors or []
    assert (error["field"], error["code"]) == ("survey_type", "survey_type_needed")
    assert "4 (1 times), 5 (2 times)" in error["detail"]
    check_file(io.BytesIO(content), RESPONSES, {"score": score, "survey_type": "=csat"})
    check_file(io.BytesIO(content + b"uq7,d@x.example,9\n"), RESPONSES, {"score": score})


@pytest.mark.parametrize("score", ["Score", "NPS", "NPS Score", "How likely are you to recommend us?"])
def test_a_column_that_says_what_it_measures_is_not_asked_about(score: str) -> None:
    content = f"account,email,{score}\nuq7,a@x.example,5\n".encode()
    assert check_file(io.BytesIO(content), RESPONSES, {"score": score}).rows == 1


def test_dates_that_could_all_be_read_in_two_ways_are_asked_for_before_anything_is_stored() -> None:
    content = b"account,email,score,date\nacme,a@x.example,9,03/04/2026\nacme,b@x.example,9,13/04/2026\n"
    with pytest.raises(Invalid) as refused:
        check_file(io.BytesIO(content), RESPONSES, {})
    assert [error["code"] for error in refused.value.errors or []] == ["date_format_needed"]
    assert check_file(io.BytesIO(content), RESPONSES, {}, form="%d/%m/%Y").rows == 2
    assert check_file(io.BytesIO(content + b"acme,c@x.example,9,2026-04-13\n"), RESPONSES, {}).rows == 3


def test_how_a_file_was_decoded_is_told_where_it_was_no_utf8() -> None:
    content = "account,email,score,comment\nacme,a@x.example,9,schön\n"
    assert check_file(io.BytesIO(content.encode()), RESPONSES, {}).remarks == ()
    [remark] = check_file(io.BytesIO(content.encode("cp1252")), RESPONSES, {}).remarks
    assert remark.code == "read_as_windows_1252"


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


def test_when_and_whether_an_account_may_be_asked() -> None:
    header = "Account ID,Time Zone,Language,Customer Since,Do Not Ask Until,Do Not Ask Reason"
    (row,) = read(ACCOUNTS, f"{header}\nacme,Europe/Paris,fr,2019-04-01,2026-09-30,Claim in court\n")
    assert isinstance(row, DirectoryRow)
    assert row.change.members == {
        "time_zone": "Europe/Paris",
        "language": "fr",
        "customer_since": "2019-04-01",
        "do_not_ask": {"until": "2026-09-30", "reason": "Claim in court"},
    }


@pytest.mark.parametrize(
    ("cell", "permission"), [("Yes", "granted"), ("no", "refused"), ("Granted", "granted"), ("refused", "refused")]
)
def test_whether_a_person_may_be_asked_by_mail(cell: str, permission: str) -> None:
    (row,) = read(STAKEHOLDERS, f"Account,Person,Email Consent\nacme,ann,{cell}\n")
    assert isinstance(row, DirectoryRow)
    assert row.change.members == {"mail_permission": permission}


def test_a_zone_or_permission_that_nobody_knows_is_kept_as_an_attribute() -> None:
    (row,) = read(STAKEHOLDERS, "Account,Person,Time Zone,Mail Permission\nacme,ann,Paris Time,perhaps\n")
    assert isinstance(row, DirectoryRow)
    assert row.change.members == {"attributes": {"time_zone": "Paris Time", "mail_permission": "perhaps"}}
    assert {(note.code, note.field) for note in row.notes} == {
        ("kept_as_attribute", "time_zone"),
        ("kept_as_attribute", "mail_permission"),
    }


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


def test_names_that_can_be_no_ids_are_not_kept() -> None:
    names = SlashedNames()
    for cell in ("A/\0S", "A/" * 200, "Lund A/S"):
        names.see("account_id", cell)
    assert list(names.names.values()) == ["Lund A/S"]
