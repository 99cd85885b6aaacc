"""A person whose erasure waits is shown nowhere, from the moment on that the journal knows of it."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.db.erasures import Journal
from shared.events.context import ContextRecorded
from shared.events.envelope import Event
from shared.events.responses import StakeholderErased
from shared.ids import uuid7
from shared.topics import CONTEXT_RECORDED
from tests.integration.scorer.reading import NOW, Reader
from tests.integration.scorer.writing import Writer, account, erased, event, invited, person
from tests.support.environment import Environment
from tests.support.events import recorded
from tests.support.http import api_key, bearer

ANN, BOB = "ann@acme.example", "bob@acme.example"
OWNER = "kim@supplier.example"
LISTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/v1/responses", {}),
    ("/v1/responses", {"account_id": "acme", "sort": "updated_at"}),
    ("/v1/changes", {}),
    ("/v1/stakeholders", {}),
    ("/v1/stakeholders", {"category": "detractor"}),
    ("/v1/accounts/acme/stakeholders", {}),
    ("/v1/explain", {"account_id": "acme"}),
    ("/v1/accounts/acme/trend", {}),
    ("/v1/exports/responses.csv", {}),
)
"""Where Ann and Bob stand."""


def context(name: str) -> Event:
    """Something that happened to somebody."""
    values: dict[str, Any] = {"stakeholder_id": name, "kind": "incident", "at": NOW, "label": name, "recorded_at": NOW}
    return event(CONTEXT_RECORDED, ContextRecorded(event_id=uuid7(), account_id="acme", **values))


def facts(name: str) -> tuple[Event, ...]:
    """All that can be known of somebody."""
    return (
        person(name, name=name, email=name),
        recorded(f"r-{name}", stakeholder_id=name, email=name, score=2, comment=f"by {name}"),
        invited("sent", f"i-{name}", NOW, stakeholder_id=name),
        context(name),
    )


@pytest.fixture(scope="module", autouse=True)
async def everybody(rows: Writer) -> None:
    """Ann and Bob."""
    await rows.take(account(owner={"name": "Kim", "email": OWNER}), *facts(ANN), *facts(BOB))
    await rows.project()


@pytest.fixture
async def waiting(rows: Writer) -> AsyncIterator[StakeholderErased]:
    """The erasure of Ann, which cannot be applied yet."""
    data = erased(ANN).data
    assert isinstance(data, StakeholderErased)
    async with rows.database.write() as tx:
        await Journal.hide(tx, data)
    yield data
    async with rows.database.write() as tx:
        await tx.execute("delete from erasures where receipt_id = :id", id=data.receipt_id)


async def names_in(reader: Reader, path: str, **asked: Any) -> set[str]:
    """Which of the two an answer speaks of."""
    response = await reader.get(path, **asked)
    assert response.status_code == 200, response.text
    return {name for name in (ANN, BOB) if name in response.text}


@pytest.mark.parametrize(("path", "asked"), LISTS)
async def test_lists_name_everybody(reader: Reader, path: str, asked: dict[str, str]) -> None:
    assert await names_in(reader, path, **asked) == {ANN, BOB}


@pytest.mark.parametrize(("path", "asked"), LISTS)
@pytest.mark.usefixtures("waiting")
async def test_lists_leave_out_who_waits_to_be_erased(reader: Reader, path: str, asked: dict[str, str]) -> None:
    assert await names_in(reader, path, **asked) == {BOB}


@pytest.mark.usefixtures("waiting")
async def test_who_waits_to_be_erased_is_not_found(reader: Reader) -> None:
    for path in ("/v1/accounts/acme/stakeholders/{}", "/v1/responses/r-{}"):
        assert (await reader.get(path.format(ANN))).status_code == 404
        assert (await reader.get(path.format(BOB))).status_code == 200
    of = [{"account_id": "acme", "stakeholder_id": name} for name in (ANN, BOB)]
    named = (await reader.client.post("/v1/names", json={"of": of})).json()
    assert [item["name"] for item in named["items"]] == [BOB]


@pytest.mark.usefixtures("waiting")
async def test_views_leave_out_who_waits_to_be_erased(reader: Reader) -> None:
    for view in ("stakeholders", "responses", "invitations", "context_events"):
        shown = await reader.tables.fetch(f"select stakeholder_id from analytics.{view}")  # noqa: S608 - names of ours
        assert [row["stakeholder_id"] for row in shown] == [BOB], view


async def test_the_receipt_says_waiting_and_then_what_was_done(
    reader: Reader, rows: Writer, waiting: StakeholderErased
) -> None:
    key = bearer(await api_key(reader.environment, ["erase"]))
    path = f"/v1/erasures/{waiting.receipt_id}"
    receipt = (await reader.client.get(path, headers=key)).json()
    assert (receipt["status"], receipt["applied_at"], receipt["responses"]) == ("waiting", None, 0)
    assert receipt["gone_from_log_at"] is None
    assert await rows.outcomes(*facts(ANN)) == ["change"] * 4
    request = erased(ANN, receipt_id=waiting.receipt_id, erased_at=waiting.erased_at)
    assert await rows.outcomes(request, request) == ["change", "repeat"]
    receipt = (await reader.client.get(path, headers=key)).json()
    assert (receipt["status"], receipt["responses"], receipt["invitations"]) == ("applied", 1, 1)
    applied_at, gone_at = (datetime.fromisoformat(receipt[name]) for name in ("applied_at", "gone_from_log_at"))
    assert gone_at - applied_at == timedelta(days=22, hours=1)
    [entry] = await rows.rows("erasures")
    assert ANN not in str(entry)


async def test_a_receipt_is_for_who_sees_the_account(reader: Reader, waiting: StakeholderErased) -> None:
    path = f"/v1/erasures/{waiting.receipt_id}"
    assert await _status(reader.environment, reader, path, OWNER) == 200
    assert await _status(reader.environment, reader, path, "somebody.else@supplier.example") == 404


async def _status(environment: Environment, reader: Reader, path: str, owner: str) -> int:
    key = await api_key(environment, ["erase"], owner)
    return (await reader.client.get(path, headers=bearer(key))).status_code
