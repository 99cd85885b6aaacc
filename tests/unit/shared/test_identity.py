"""An id that is an address is one id, whichever door it comes through."""

import io
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.alerting.api.models import NewFollowUp
from services.collector.domain.columns import RESPONSES, match_columns
from services.collector.domain.rows import Reading
from services.collector.handlers.facts import context_fact, invitation_fact
from services.collector.handlers.fast_parse import NotPlain, parse_one
from services.collector.handlers.import_rows import ResponseRow, RowReader
from services.collector.handlers.inputs.delighted import DelightedResponse
from services.collector.handlers.inputs.directory import StakeholderItem
from services.collector.handlers.inputs.facts import ContextInput, InvitationInput
from services.collector.handlers.inputs.responses import Amendment, NewResponse
from services.collector.handlers.responses import Sender, recorded, who
from shared.http.params import StakeholderPathId
from shared.identity import canonical_stakeholder_id
from shared.ids import stakeholder_of

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
ADDRESSES = st.from_regex(r"[A-Za-zÀ-ž.]{1,12}@[A-Za-zÀ-ž]{1,8}\.[A-Za-z]{2,5}", fullmatch=True)


def _path(value: str) -> str:
    return str(TypeAdapter(StakeholderPathId).validate_python(value))


def _response(value: str) -> str:
    body = NewResponse(account_id="a", stakeholder_id=value, survey_type="nps", score=9)
    return str(recorded(body, NOW).data.model_dump()["stakeholder_id"])


def _email(value: str) -> str:
    return stakeholder_of(value)


def _fast(value: str) -> str:
    body = f'{{"account_id":"a","stakeholder_id":"{value}","survey_type":"nps","score":9}}'.encode()
    try:
        return _of(parse_one(body, NOW, Sender("key")).records[0].value)
    except NotPlain:
        return _response(value)


def _of(value: bytes | None) -> str:
    return str(TypeAdapter(dict[str, Any]).validate_json(value or b"")["stakeholder_id"])


def _file(value: str) -> str:
    text = f"account,person,score\na,{value},9\n"
    columns = match_columns(RESPONSES, ["account", "person", "score"], {})
    (row,) = RowReader(io.BytesIO(text.encode()), Reading(columns, answered_at=NOW.isoformat())).read(2)
    assert isinstance(row, ResponseRow)
    return who(row.body.stakeholder_id, row.body.email)


def _delighted(value: str) -> str:
    given = DelightedResponse.model_validate({"person": value, "score": 9, "person_properties": {"account_id": "a"}})
    body = NewResponse.model_validate(given.as_response())
    return who(body.stakeholder_id, body.email)


def _amendment(value: str) -> str:
    return str(Amendment(account_id="a", stakeholder_id=value, score=1).stakeholder_id)


def _directory(value: str) -> str:
    return str(StakeholderItem(account_id="a", stakeholder_id=value).stakeholder_id)


def _invitation(value: str) -> str:
    body = InvitationInput(invitation_id="i", account_id="a", stakeholder_id=value, kind="sent", at=NOW)
    return str(invitation_fact(body, NOW).data.model_dump()["stakeholder_id"])


def _context(value: str) -> str:
    body = ContextInput(account_id="a", stakeholder_id=value, kind="incident", at=NOW, label="x")
    return str(context_fact(body, NOW).data.model_dump()["stakeholder_id"])


def _follow_up(value: str) -> str:
    return str(NewFollowUp(account_id="a", stakeholder_id=value, reason="x").stakeholder_id)


DOORS = (
    *(_path, _response, _email, _fast, _file, _delighted, _amendment, _directory, _invitation, _context, _follow_up),
)


@pytest.mark.parametrize("door", DOORS)
@given(address=ADDRESSES)
def test_an_address_is_the_same_id_at_every_door(door: Callable[[str], str], address: str) -> None:
    spellings = {address, address.lower(), unicodedata.normalize("NFD", address)}
    assert {door(spelling) for spelling in spellings} == {unicodedata.normalize("NFC", address.lower())}


@pytest.mark.parametrize(
    "value", ["C-17", "+4512345678", "Twitter@Acme", "a@b@C.example", "Ann Lee@acme.Example", "@Acme.example", ""]
)
def test_any_other_id_keeps_its_case(value: str) -> None:
    assert canonical_stakeholder_id(value) == value


@given(st.text(max_size=40) | ADDRESSES)
def test_the_canonical_form_has_itself_as_canonical_form(value: str) -> None:
    canonical = canonical_stakeholder_id(value)
    assert canonical_stakeholder_id(canonical) == canonical


@pytest.mark.parametrize("email", ["a/b@acme.example", "İ" * 120 + "@acme.example"])
def test_an_address_that_can_be_no_id_is_refused(email: str) -> None:
    with pytest.raises(ValueError, match="invalid_id"):
        NewResponse.model_validate({"account_id": "a", "email": email, "survey_type": "nps", "score": 9})
