"""Accounts: the figures of one, and the list of all."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field

from services.scorer.api.account_list import AccountList, ChosenAccounts
from services.scorer.api.naming import figure_names, named
from services.scorer.api.pages import Listing
from services.scorer.api.parameters import AccountId, Paged, ScoreQuery
from services.scorer.api.resources import Resources
from services.scorer.domain.account import account_figures
from services.scorer.domain.counts import AccountFacts
from services.scorer.domain.windows import Span, parse_window
from services.scorer.store.reading.account import account_facts
from services.scorer.store.reading.accounts import COUNTED_SORTS, SORTS
from shared.api.accounts import ListedAccount
from shared.api.figures import AccountScore
from shared.db.transaction import ReadTx
from shared.http.auth import Reader
from shared.http.paging import Page
from shared.http.query import no_repeats, refused
from shared.http.routing import Router

MOST_MONTHS = 24
router = Router(tags=["accounts"], dependencies=[Depends(no_repeats)])


class AccountsQuery(Paged, ChosenAccounts):
    """Which accounts, in which order."""

    sort: str = Field(
        default="name",
        max_length=50,
        description="`name`, `nps`, `change`, `renewal_on`, `revenue` or `account_id`; with `-` before it descending."
        " Nulls last.",
        examples=["-nps"],
    )
    trend: int = Field(
        default=0, ge=0, le=MOST_MONTHS, description="With the score at the end of each of the last so many months."
    )


@router.get("/v1/accounts/{account_id}/score", response_model=AccountScore, response_model_exclude_unset=True)
async def get_account_score(
    caller: Reader, resources: Resources, account_id: AccountId, asked: Annotated[ScoreQuery, Query()]
) -> dict[str, Any]:
    """The rolling figures of an account by one window and method. An account where nothing counts has null
    figures and counts of 0; one that is not known, or not this key's to see, is a 404."""
    async with resources.database.read_once() as tx:
        return await account_score(tx, account_id, caller.owner_email, asked, resources.moment(asked.as_of))


async def account_score(
    tx: ReadTx, account_id: str, owner_email: str | None, asked: ScoreQuery, as_of: datetime
) -> dict[str, Any]:
    """The body of an account's score as of the moment, by one statement. Raises `NotFound`."""
    window = parse_window(asked.window)
    answers, invitations = Span(window.earliest(as_of), as_of), window.span(as_of)
    facts: AccountFacts = await account_facts(
        tx, account_id, owner_email, asked.filters(), answers=answers, invitations=invitations
    )
    figures = account_figures(facts, window, asked.method, as_of, asked.survey_type)
    stale_since = None
    if asked.as_of is None:
        stale_since = facts.stale_since
    return named(figures, account_id=account_id, **figure_names(asked), stale_since=stale_since)


@router.get("/v1/accounts", response_model=Page[ListedAccount], response_model_exclude_unset=True)
async def list_accounts(
    caller: Reader, resources: Resources, asked: Annotated[AccountsQuery, Query()]
) -> dict[str, Any]:
    """Accounts with their attributes, class and figures: those of the directory, and those ever asked or
    heard.

    Filters on the account choose accounts; filters on answers and people choose what the figures count. The
    class goes by all NPS answers of 365 days, whatever the filters.
    """
    listing = Listing("accounts", asked.sort, SORTS, "account_id")
    if asked.survey_type != "nps":
        if listing.sort in COUNTED_SORTS:
            raise refused("sort", "invalid_sort", "nps and change are figures of survey_type=nps")
        if asked.trend:
            raise refused("trend", "invalid_trend", "a trend is of survey_type=nps")
    accounts = AccountList(resources, caller.owner_email, asked, resources.moment(asked.as_of))
    async with resources.database.read() as tx:
        items, cursor = await accounts.page(tx, listing, asked.cursor, asked.limit, asked.trend)
    return {"items": items, "next_cursor": cursor}
