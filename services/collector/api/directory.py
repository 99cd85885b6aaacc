"""The directory: accounts and their people, one by one or in batches. Always written through PostgreSQL."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.collector.api import batches
from services.collector.api.models import RecordBatchAnswer, account_view, stakeholder_view
from services.collector.api.resources import AccountId, Collector, Resources, StakeholderId
from services.collector.handlers import directory
from services.collector.handlers.directory import Change, Changed
from services.collector.handlers.inputs.directory import (
    AccountInput,
    AccountItem,
    StakeholderInput,
    StakeholderItem,
)
from services.collector.handlers.outcomes import in_place
from services.collector.handlers.refusals import refused
from services.collector.store.directory import Wanted
from shared.access.caller import Caller
from shared.api.directory import ACCOUNT_EXAMPLE, STAKEHOLDER_EXAMPLE, AccountView, StakeholderView
from shared.errors import TellbackError
from shared.http import paging
from shared.http.auth import Ingester, Reader
from shared.http.limits import BATCH_BYTES
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.params import Instant, Search
from shared.http.routing import Router

router = Router(tags=["directory"])
ACCOUNT = "/v1/accounts/{account_id}"
STAKEHOLDER = "/v1/accounts/{account_id}/stakeholders/{stakeholder_id}"
_STALE: dict[int | str, dict[str, Any]] = {
    409: {"description": "The record is not the one of the `recorded_at` that was sent."}
}
_EXAMPLE: dict[str, Any] = {
    "accounts": [{"account_id": "acme"} | ACCOUNT_EXAMPLE],
    "stakeholders": [{"account_id": "acme"} | STAKEHOLDER_EXAMPLE],
}


class ListQuery(BaseModel):
    """Which records to list."""

    model_config = ConfigDict(extra="forbid")

    q: Search | None = Field(default=None, description="Only those with this text in their name or id.")
    updated_since: Instant | None = Field(default=None, description="Only those changed then or later.")
    attribute: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="Only those with an attribute of this name, whatever its value."
    )
    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None

    def wanted(self, caller: Caller, purpose: str) -> Wanted:
        """The filter for the store. It asks for one record more than the page holds, which shows whether another page
        follows."""
        after = None
        if self.cursor:
            after = read_cursor(self.cursor, purpose, paging.text)[0]
        return Wanted(caller.owner_email, self.q, self.updated_since, self.attribute, after, self.limit + 1)


@router.put(ACCOUNT, summary="Put an account", responses=_STALE)
async def put_account(account_id: AccountId, body: AccountInput, caller: Ingester, collector: Resources) -> AccountView:
    """Replaces the whole record; what is not sent is gone."""
    _same("account_id", body.account_id, account_id)
    return account_view(
        await _change(collector, caller, Change(account_id, None, body.members(), whole=True, seen=body.seen()))
    )


@router.patch(ACCOUNT, summary="Change an account", responses=_STALE)
async def patch_account(
    account_id: AccountId, body: AccountInput, caller: Ingester, collector: Resources
) -> AccountView:
    """Merges (RFC 7396): absent members stay, null removes, objects merge member by member."""
    _same("account_id", body.account_id, account_id)
    return account_view(
        await _change(collector, caller, Change(account_id, None, body.members(), existing=True, seen=body.seen()))
    )


@router.get(ACCOUNT, summary="Look up an account")
async def get_account(account_id: AccountId, caller: Reader, collector: Resources) -> AccountView:
    """The record as it stands."""
    async with collector.database.read() as tx:
        return account_view(await directory.find_record(tx, account_id, None, caller.owner_email))


@router.delete(ACCOUNT, status_code=204, summary="Remove an account")
async def delete_account(account_id: AccountId, caller: Ingester, collector: Resources) -> None:
    """Takes it out of the directory; its scores keep their history."""
    await _remove(collector, caller, account_id, None)


@router.get("/v1/accounts", summary="List the accounts of the directory")
async def list_accounts(
    caller: Reader, collector: Resources, query: Annotated[ListQuery, Query()]
) -> Page[AccountView]:
    """In the order of their ids."""
    wanted = query.wanted(caller, "accounts")
    async with collector.database.read() as tx:
        records = await directory.list_records(tx, None, wanted)
    views = [account_view(record) for record in records]
    return page_of(views, query.limit, lambda view: [view.account_id], "accounts")


@router.get("/v1/accounts/{account_id}/stakeholders", summary="List the people of an account")
async def list_stakeholders(
    account_id: AccountId, caller: Reader, collector: Resources, query: Annotated[ListQuery, Query()]
) -> Page[StakeholderView]:
    """In the order of their ids. An account that is not in the directory may have people all the same."""
    wanted = query.wanted(caller, "stakeholders")
    async with collector.database.read() as tx:
        if caller.owner_email is not None:
            await directory.find_record(tx, account_id, None, caller.owner_email)
        records = await directory.list_records(tx, account_id, wanted)
    views = [stakeholder_view(record) for record in records]
    return page_of(views, query.limit, lambda view: [view.stakeholder_id], "stakeholders")


@router.put(STAKEHOLDER, summary="Put a person", responses=_STALE)
async def put_stakeholder(
    account_id: AccountId,
    stakeholder_id: StakeholderId,
    body: StakeholderInput,
    caller: Ingester,
    collector: Resources,
) -> StakeholderView:
    """Replaces the whole record; what is not sent is gone."""
    change = _person(account_id, stakeholder_id, body, whole=True)
    return stakeholder_view(await _change(collector, caller, change))


@router.patch(STAKEHOLDER, summary="Change a person", responses=_STALE)
async def patch_stakeholder(
    account_id: AccountId,
    stakeholder_id: StakeholderId,
    body: StakeholderInput,
    caller: Ingester,
    collector: Resources,
) -> StakeholderView:
    """Merges (RFC 7396): absent members stay, null removes."""
    change = _person(account_id, stakeholder_id, body, whole=False)
    return stakeholder_view(await _change(collector, caller, change))


@router.get(STAKEHOLDER, summary="Look up a person")
async def get_stakeholder(
    account_id: AccountId, stakeholder_id: StakeholderId, caller: Reader, collector: Resources
) -> StakeholderView:
    """The record as it stands, by any of the person's ids."""
    async with collector.database.read() as tx:
        return stakeholder_view(await directory.find_record(tx, account_id, stakeholder_id, caller.owner_email))


@router.delete(STAKEHOLDER, status_code=204, summary="Remove a person")
async def delete_stakeholder(
    account_id: AccountId, stakeholder_id: StakeholderId, caller: Ingester, collector: Resources
) -> None:
    """Takes the person out of the directory; answers stay."""
    await _remove(collector, caller, account_id, stakeholder_id)


@router.post(
    "/v1/directory/batch",
    summary="Merge up to 1,000 accounts and people",
    response_model=RecordBatchAnswer,
    openapi_extra=batches.body_of(
        _EXAMPLE, accounts=batches.known(AccountInput), stakeholders=batches.known(StakeholderInput)
    ),
    max_body_size=BATCH_BYTES,
)
async def post_directory(request: Request, caller: Ingester, collector: Resources) -> JSONResponse:
    """Each row merges only the members it has, or makes the record. NDJSON rows with a person's id or address are
    people, others accounts."""
    arrays = await batches.read_arrays(request, "accounts", "stakeholders")
    if isinstance(arrays, list):
        arrays = _by_kind(arrays)
    account_items, people_items = arrays.get("accounts", []), arrays.get("stakeholders", [])
    accounts = batches.each(AccountItem, account_items, lambda item, _: Change.of(item))
    people = batches.each(StakeholderItem, people_items, lambda item, _: Change.of(item))
    outcomes = await _change_each(collector, caller, [*accounts, *people])
    facts = _facts("account", account_items, accounts) + _facts("stakeholder", people_items, people)
    for fact, outcome in zip(facts, outcomes, strict=True):
        if isinstance(outcome, Changed) and outcome.warnings:
            fact["warnings"] = outcome.warnings
    return batches.answer(outcomes, facts)


def _by_kind(lines: Sequence[Any]) -> dict[str, list[Any]]:
    """NDJSON rows as the arrays of a JSON body: rows with a person's id or address are people, others accounts."""
    arrays: dict[str, list[Any]] = {"accounts": [], "stakeholders": []}
    for line in lines:
        if isinstance(line, dict) and not {"stakeholder_id", "email"}.isdisjoint(line):
            arrays["stakeholders"].append(line)
        else:
            arrays["accounts"].append(line)
    return arrays


def _facts(kind: str, items: Sequence[Any], changes: Sequence[Change | TellbackError]) -> list[dict[str, Any]]:
    """The parts of each item that the answer to a batch repeats: kind, position in its array, ids."""
    facts = []
    for index, (item, change) in enumerate(zip(items, changes, strict=True)):
        facts.append({"kind": kind, "index": index} | _ids(change, item))
    return facts


def _ids(change: Change | TellbackError, item: Any) -> dict[str, Any]:
    if isinstance(change, TellbackError):
        return {name: batches.sent_id(item, name) for name in ("account_id", "stakeholder_id")}
    return {"account_id": change.account_id, "stakeholder_id": change.stakeholder_id}


def _person(account_id: str, stakeholder_id: str, body: StakeholderInput, *, whole: bool) -> Change:
    _same("account_id", body.account_id, account_id)
    _same("stakeholder_id", body.stakeholder_id, stakeholder_id)
    return Change(account_id, stakeholder_id, body.members(), whole=whole, existing=not whole, seen=body.seen())


def _same(field: str, given: str | None, expected: str) -> None:
    if given is not None and given != expected:
        raise refused(field, "other_id", "must be the one in the address")


async def _change(collector: Collector, caller: Caller, change: Change) -> Changed:
    now = collector.clock.now()
    changed = await collector.database.retrying(lambda tx: directory.change_record(tx, change, now, caller.owner_email))
    collector.relay.wake()
    return changed


async def _change_each(
    collector: Collector, caller: Caller, asked: Sequence[Change | TellbackError]
) -> list[Changed | TellbackError]:
    changes = [change for change in asked if isinstance(change, Change)]
    now = collector.clock.now()
    changed = await collector.database.retrying(
        lambda tx: directory.change_records(tx, changes, now, caller.owner_email)
    )
    collector.relay.wake()
    return in_place(asked, changed)


async def _remove(collector: Collector, caller: Caller, account_id: str, stakeholder_id: str | None) -> None:
    now = collector.clock.now()
    await collector.database.retrying(
        lambda tx: directory.remove_record(tx, account_id, stakeholder_id, now, caller.owner_email)
    )
    collector.relay.wake()
