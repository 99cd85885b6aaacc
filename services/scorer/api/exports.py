"""Exports: responses, accounts and people as files, streamed."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services.scorer.api.account_list import AccountList, ChosenAccounts
from services.scorer.api.export_files import Columns, Kind, parquet_chunks
from services.scorer.api.pages import Listing
from services.scorer.api.parameters import DirectoryFilters, UpdatedSince
from services.scorer.api.people import PeopleQuery, people_list
from services.scorer.api.resources import Resources, Scorer
from services.scorer.api.responses import ChosenResponses, response_body
from services.scorer.store.reading.accounts import SORTS
from services.scorer.store.reading.responses import responses_after
from shared.api.figures import Comparison, Coverage
from shared.db.transaction import ReadTx
from shared.events.directory import StakeholderType
from shared.http.auth import Reader
from shared.http.files import CSV, Rows, csv_file, file_of, pages_of
from shared.http.params import PathId, Search
from shared.http.query import no_repeats
from shared.http.routing import Router

router = Router(tags=["exports"], dependencies=[Depends(no_repeats)])
PAGE = 1_000
ACCOUNTS_PAGE = PEOPLE_PAGE = 200

RESPONSES: Columns = {
    **dict.fromkeys(("response_id", "account_id", "stakeholder_id", "given_stakeholder_id", "survey_type"), "text"),
    "score": "integer",
    **dict.fromkeys(("category", "comment"), "text"),
    **dict.fromkeys(("answered_at", "recorded_at", "updated_at"), "moment"),
    **dict.fromkeys(("nps_kind", "touchpoint", "product", "channel", "survey_id", "invitation_id", "language"), "text"),
    "follow_up_requested": "flag",
    "test": "flag",
    "answers": "json",
    "attributes": "json",
    "revision": "integer",
}
_CONTACTS = ("owner_name", "owner_email", "sponsor_name", "sponsor_email", "parent_account_id")
_COUNTS = ("promoter_count", "passive_count", "detractor_count", "response_count", "stakeholder_count")
_PERCENTS = ("promoter_percent", "passive_percent", "detractor_percent", "top_two_percent", "easy_percent")
_INVITATIONS = ("sent_count", "delivered_count", "opened_count", "bounced_count")
_RATES = ("response_rate", "open_rate", "bounce_rate", "comment_rate", "follow_up_request_rate")
_KINDS: Mapping[Any, Kind] = {
    int: "integer",
    int | None: "integer",
    float | None: "number",
    bool: "flag",
    datetime | None: "moment",
}


def _figures(declared: type[BaseModel], *names: str) -> Columns:
    """The columns of figures that the model declares."""
    return {name: _KINDS[declared.model_fields[name].annotation] for name in names}


ACCOUNTS: Columns = {
    **dict.fromkeys(("account_id", "name", "industry", "tier", "region"), "text"),
    "annual_revenue_amount": "number",
    "annual_revenue_currency": "text",
    "renewal_on": "day",
    "products": "json",
    **dict.fromkeys(_CONTACTS, "text"),
    "closed_on": "day",
    **dict.fromkeys(("time_zone", "language"), "text"),
    **dict.fromkeys(("customer_since", "do_not_ask_until"), "day"),
    "do_not_ask_reason": "text",
    "attributes": "json",
    "removed": "flag",
    **dict.fromkeys(("class", "class_rule", "window", "method", "survey_type"), "text"),
    **_figures(
        Comparison, "nps", "nps_rounded", *_COUNTS, *_PERCENTS, "mean_score", "ci_low", "ci_high", "change", "z"
    ),
    "previous_nps": "number",
    **_figures(Comparison, "significant", "last_answered_at"),
    **_figures(Coverage, *Coverage.model_fields),
    **_figures(Comparison, *_INVITATIONS, *_RATES),
}
PEOPLE: Columns = {
    **dict.fromkeys(("account_id", "stakeholder_id", "name", "email", "type", "job_title", "job_level"), "text"),
    **dict.fromkeys(("job_function", "location", "language", "time_zone", "mail_permission"), "text"),
    "attributes": "json",
}
"""As files of people are imported: what the directory says of them."""
_PARQUET = "application/vnd.apache.parquet"
Page = Callable[[ReadTx, str | None], Awaitable[tuple[Rows, str | None]]]
"""The rows after a position (None: the first ones), and the position behind them (None: there are no more)."""


def _answers(media_type: str, columns: Columns) -> dict[int | str, dict[str, Any]]:
    """The file in the OpenAPI document."""
    schema = {"type": "string", "format": "binary", "example": ",".join(columns)}
    return {200: {"description": "The file.", "content": {media_type: {"schema": schema}}}}


class ExportedResponses(ChosenResponses):
    """Which responses."""

    updated_since: UpdatedSince = None


class ExportedAccounts(ChosenAccounts):
    """Which accounts, with which figures."""


class ExportedPeople(DirectoryFilters):
    """Which people."""

    account_id: PathId | None = Field(default=None, description="Only people of this account.")
    type: StakeholderType | None = Field(default=None, description="Only people of this type.")
    q: Search | None = Field(default=None, description="Only people with this text in their name, address or id.")


@router.get(
    "/v1/exports/responses.csv", response_class=StreamingResponse, responses=_answers(CSV, RESPONSES), status_code=200
)
async def export_responses_csv(
    caller: Reader, resources: Resources, asked: Annotated[ExportedResponses, Query()]
) -> StreamingResponse:
    """Responses as CSV by id, without withdrawn ones: UTF-8 with a byte order mark for Excel, lists and objects as
    JSON. A text that a sheet would run as a formula has an apostrophe before it."""
    pages = pages_of(resources.database, _responses(asked, caller.owner_email))
    return await csv_file("responses.csv", RESPONSES, pages)


@router.get("/v1/exports/responses.parquet", response_class=StreamingResponse, responses=_answers(_PARQUET, RESPONSES))
async def export_responses_parquet(
    caller: Reader, resources: Resources, asked: Annotated[ExportedResponses, Query()]
) -> StreamingResponse:
    """Responses as Parquet by id, without withdrawn ones; lists and objects are JSON text."""
    pages = pages_of(resources.database, _responses(asked, caller.owner_email))
    return await file_of("responses.parquet", _PARQUET, parquet_chunks, RESPONSES, pages)


@router.get("/v1/exports/accounts.csv", response_class=StreamingResponse, responses=_answers(CSV, ACCOUNTS))
async def export_accounts_csv(
    caller: Reader, resources: Resources, asked: Annotated[ExportedAccounts, Query()]
) -> StreamingResponse:
    """Accounts as CSV by id with their attributes, class and figures, as the list of accounts has them: UTF-8 with a
    byte order mark for Excel. A text that a sheet would run as a formula has an apostrophe before it."""
    pages = pages_of(resources.database, _accounts(resources, asked, caller.owner_email))
    return await csv_file("accounts.csv", ACCOUNTS, pages)


@router.get("/v1/exports/accounts.parquet", response_class=StreamingResponse, responses=_answers(_PARQUET, ACCOUNTS))
async def export_accounts_parquet(
    caller: Reader, resources: Resources, asked: Annotated[ExportedAccounts, Query()]
) -> StreamingResponse:
    """Accounts as Parquet by id with their attributes, class and figures, as the list of accounts has them."""
    pages = pages_of(resources.database, _accounts(resources, asked, caller.owner_email))
    return await file_of("accounts.parquet", _PARQUET, parquet_chunks, ACCOUNTS, pages)


@router.get("/v1/exports/stakeholders.csv", response_class=StreamingResponse, responses=_answers(CSV, PEOPLE))
async def export_stakeholders_csv(
    caller: Reader, resources: Resources, asked: Annotated[ExportedPeople, Query()]
) -> StreamingResponse:
    """People as CSV by name, as the list of people has them, without those who were removed: a file of people that can
    be imported again. UTF-8 with a byte order mark for Excel. A text that a sheet would run as a formula has an
    apostrophe before it."""
    pages = pages_of(resources.database, _people(resources, asked, caller.owner_email))
    return await csv_file("stakeholders.csv", PEOPLE, pages)


def _people(resources: Scorer, asked: ExportedPeople, owner_email: str | None) -> Page:
    """People by name; their filters are those of the list."""
    filters = asked.filters()
    if asked.type:
        filters = replace(filters, stakeholder_type=asked.type)

    async def page(tx: ReadTx, cursor: str | None) -> tuple[Rows, str | None]:
        wanted = PeopleQuery(q=asked.q, limit=PEOPLE_PAGE, cursor=cursor)
        found = await people_list(tx, resources, wanted, filters, owner_email, asked.account_id)
        return [person for person in found["items"] if not person["removed"]], found["next_cursor"]

    return page


def _responses(asked: ExportedResponses, owner_email: str | None) -> Page:
    """Responses by id; a row is as it stood when it was read."""
    question = replace(asked.question(owner_email), updated_since=asked.updated_since)

    async def page(tx: ReadTx, last: str | None) -> tuple[Rows, str | None]:
        rows = await responses_after(tx, question, last or "", PAGE)
        following = rows[-1]["response_id"] if len(rows) == PAGE else None
        return [response_body(row) for row in rows], following

    return page


def _accounts(resources: Scorer, asked: ChosenAccounts, owner_email: str | None) -> Page:
    """Accounts by id, all figures as of one moment."""
    accounts = AccountList(resources, owner_email, asked, resources.moment(asked.as_of))
    listing = Listing("export", "account_id", SORTS, "account_id")

    async def page(tx: ReadTx, cursor: str | None) -> tuple[Rows, str | None]:
        items, following = await accounts.page(tx, listing, cursor, ACCOUNTS_PAGE)
        return [_flat(item) for item in items], following

    return page


def _flat(item: Mapping[str, Any]) -> dict[str, Any]:
    revenue, previous = item["annual_revenue"] or {}, item["previous"] or {}
    owner, sponsor, pause = item["owner"] or {}, item["sponsor"] or {}, item["do_not_ask"] or {}
    return {
        **item,
        **item["coverage"],
        "annual_revenue_amount": revenue.get("amount"),
        "annual_revenue_currency": revenue.get("currency"),
        "owner_name": owner.get("name"),
        "owner_email": owner.get("email"),
        "sponsor_name": sponsor.get("name"),
        "sponsor_email": sponsor.get("email"),
        "do_not_ask_until": pause.get("until"),
        "do_not_ask_reason": pause.get("reason"),
        "previous_nps": previous.get("nps"),
    }
