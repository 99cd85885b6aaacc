"""Accounts: the figures of one, and the list of all."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field

from services.scorer.api.models import AccountScore, named
from services.scorer.api.models_people import ListedAccount
from services.scorer.api.pages import Listing
from services.scorer.api.parameters import AccountId, Paged, ScoreQuery, no_repeats, refused
from services.scorer.api.resources import Resources
from services.scorer.domain.account import AccountFacts, account_figures
from services.scorer.domain.classes import AccountClass, Classified
from services.scorer.domain.windows import Span, parse_window
from services.scorer.store.reading.account import account_facts
from services.scorer.store.reading.accounts import COUNTED_SORTS, SORTS, AccountsQuestion, accounts_page
from services.scorer.store.reading.classes import classes_of
from services.scorer.store.reading.coverage import read_coverage
from services.scorer.store.reading.grouped import Counts, Question, count, figures_of
from shared.db.transaction import ReadTx
from shared.http.auth import Reader
from shared.http.paging import Page
from shared.http.params import Search
from shared.http.routing import Router

router = Router(tags=["accounts"], dependencies=[Depends(no_repeats)])


class AccountsQuery(Paged, ScoreQuery):
    """Which accounts, with which figures, in which order."""

    class_: AccountClass | None = Field(default=None, alias="class", description="Only accounts of this class.")
    q: Search | None = Field(default=None, description="Only accounts with this text in their name or id.")
    sort: str = Field(
        default="name",
        max_length=50,
        description="`name`, `nps`, `change`, `renewal_on` or `revenue`; with `-` before it descending. Nulls last.",
        examples=["-nps"],
    )


@router.get("/v1/accounts/{account_id}/score", response_model=AccountScore, response_model_exclude_unset=True)
async def get_account_score(
    caller: Reader, resources: Resources, account_id: AccountId, asked: Annotated[ScoreQuery, Query()]
) -> dict[str, Any]:
    """The rolling figures of an account by one window and method. An account where nothing counts has null
    figures and counts of 0; one that is not known, or not this key's to see, is a 404."""
    async with resources.database.read() as tx:
        return await account_score(tx, account_id, caller.owner_email, asked, resources.moment(asked.as_of))


async def account_score(
    tx: ReadTx, account_id: str, owner_email: str | None, asked: ScoreQuery, as_of: datetime
) -> dict[str, Any]:
    """The body of an account's score as of the moment. Raises `NotFound`."""
    window = parse_window(asked.window)
    span, before = window.span(as_of), window.before(as_of)
    answers = Span(before.after if before else span.after, span.upto)
    facts: AccountFacts = await account_facts(
        tx, account_id, owner_email, asked.filters(), answers=answers, invitations=span
    )
    figures = account_figures(facts, window, asked.method, as_of, asked.survey_type)
    return named(figures, account_id=account_id, **_question(asked))


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
    if listing.sort in COUNTED_SORTS and asked.survey_type != "nps":
        raise refused("sort", "invalid_sort", "nps and change are figures of survey_type=nps")
    as_of, thresholds = resources.moment(asked.as_of), resources.settings.thresholds()
    filters = asked.filters()
    everywhere = Question(parse_window(asked.window), filters, [as_of], owner_email=caller.owner_email)
    async with resources.database.read() as tx:
        members: list[str] | None = None
        if asked.class_ is not None:
            classes = await classes_of(tx, as_of, thresholds)
            members = [account for account, found in classes.items() if found.name == asked.class_]
        wanted = AccountsQuestion(
            filters=filters,
            owner_email=caller.owner_email,
            sort=listing.sort,
            descending=listing.descending,
            limit=asked.limit,
            q=asked.q,
            account_ids=members,
            after=listing.position(asked.cursor),
        )
        rows, cursor = listing.cut(await accounts_page(tx, wanted, everywhere, asked.method), asked.limit)
        ids = [row["account_id"] for row in rows]
        classes = await classes_of(tx, as_of, thresholds, ids)
        figures = await _figures(tx, everywhere, asked, ids)
    question = _question(asked)
    items = [
        _attributes(row, classes[row["account_id"]]) | named(figures[row["account_id"]], **question) for row in rows
    ]
    return {"items": items, "next_cursor": cursor}


async def _figures(
    tx: ReadTx, everywhere: Question, asked: ScoreQuery, account_ids: list[str]
) -> dict[str, dict[str, Any]]:
    """account_id → figures, for these accounts."""
    question = Question(
        everywhere.window,
        everywhere.filters,
        everywhere.moments,
        split=("account_id",),
        owner_email=everywhere.owner_email,
        account_ids=account_ids,
    )
    counted = await count(tx, question, asked.method)
    coverage = await read_coverage(tx, question)
    found = {}
    for account_id in account_ids:
        group = 0, (account_id,)
        counts = counted.get(group, Counts())
        figures = figures_of(counts, asked.method, question.window, asked.survey_type)
        reached = coverage.figures(group, counts, None)
        people = {name: reached["coverage"][name] for name in ("known", "asked", "answered")}
        found[account_id] = figures | reached | {"coverage": people}
    return found


def _question(asked: ScoreQuery) -> dict[str, Any]:
    """The keys that name what a figure is a figure of, besides the account."""
    return {
        "window": asked.window,
        "method": asked.method,
        "survey_type": asked.survey_type,
        "as_of": asked.as_of,
    }


def _attributes(row: dict[str, Any], classified: Classified) -> dict[str, Any]:
    record = row["record"] or {}
    amount = row["revenue_amount"]
    return {
        "account_id": row["account_id"],
        **{name: row[name] for name in ("name", "industry", "tier", "region")},
        "annual_revenue": None if amount is None else {"amount": float(amount), "currency": row["revenue_currency"]},
        "renewal_on": row["renewal_on"],
        "products": record.get("products") or [],
        "owner": _contact(row["owner_name"], row["owner_email"]),
        "sponsor": _contact(row["sponsor_name"], row["sponsor_email"]),
        "parent_account_id": row["parent_account_id"],
        "attributes": record.get("attributes") or {},
        "removed": bool(row["removed"]),
        "class": classified.name,
        "class_rule": classified.rule,
        "class_numbers": classified.numbers,
    }


def _contact(name: str | None, email: str | None) -> dict[str, str | None] | None:
    return None if name is None and email is None else {"name": name, "email": email}
