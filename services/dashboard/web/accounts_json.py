"""The rows of the accounts grid, a block at a time: requested by the browser with the session's cookie."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from services.dashboard.domain import wording
from services.dashboard.web.forms import SESSION
from services.dashboard.web.resources import resources
from services.dashboard.web.sentences import sentence_of
from shared.api.accounts import ListedAccount
from shared.api.questions import ACCOUNTS, PORTFOLIO_SCORE
from shared.errors import TellbackError
from shared.http.client import Api
from shared.http.routing import Router
from shared.industries import NAMES as INDUSTRIES

Json = dict[str, Any]
router = Router(include_in_schema=False)
BLOCK = 200
MONTHS = 12
FILTERS = ("window", "class", "tier", "industry", "owner", "region", "answered", "renews_from", "renews_to")
UNCOUNTED = ("q", "class", "answered", "renews_from", "renews_to")
"""Filters with which the scorer gives no total."""
TIERS = {"premium": "Premium", "key": "Key", "small": "Small"}
CLASSES = {code: f"{wording.CLASS_SIGNS[code]} {name}" for code, name in wording.CLASS_NAMES.items()}


@router.get("/rows/accounts")
async def account_rows(request: Request) -> Response:
    """`{rows, next}`: next is the cursor of the next block, null at the end."""
    query = request.query_params
    asked = {"q": query.get("q"), "cursor": query.get("cursor"), "sort": query.get("sort") or "name", "limit": BLOCK}
    asked["trend"] = MONTHS

    async def load(api: Api) -> Json:
        page = await api.ask(ACCOUNTS, **asked, **_chosen(request))
        return {"rows": [_row(account) for account in page.items], "next": page.next_cursor}

    return await _answered(request, load)


@router.get("/rows/accounts/total")
async def account_total(request: Request) -> Response:
    """`{total}`: the number of rows, null where it is unknown. A request of its own, so that rows do not wait for
    it."""

    async def load(api: Api) -> Json:
        if any(request.query_params.get(name) for name in UNCOUNTED):
            return {"total": None}
        found = await api.ask(PORTFOLIO_SCORE, **_chosen(request))
        if not found.groups:
            return {"total": None}
        return {"total": found.groups[0].coverage.accounts.known}

    return await _answered(request, load)


def _chosen(request: Request) -> Json:
    return {name: request.query_params[name] for name in FILTERS if request.query_params.get(name)}


async def _answered(request: Request, load: Callable[[Api], Awaitable[Json]]) -> Response:
    """The answer for the person who is signed in, or the reason why there is none."""
    found = resources()
    visitor = await found.signing_in.visitor(request.cookies.get(SESSION))
    if visitor is None:
        return _answer({"detail": "Sign in first"}, 401)
    try:
        return _answer(await load(await found.keys.api_of(visitor.user)))
    except TellbackError as error:
        return _answer({"detail": sentence_of(error) or "This does not work right now"}, error.status)


def _answer(content: Json, status: int = 200) -> Response:
    return JSONResponse(content, status, {"cache-control": "no-store"})


def _row(account: ListedAccount) -> Json:
    revenue, owner = account.annual_revenue, account.owner
    return {
        "account_id": account.account_id,
        "name": account.name or account.account_id,
        "class": CLASSES.get(account.class_, account.class_),
        "nps": account.nps,
        "change": account.change,
        "trend": account.trend,
        "respondents": account.stakeholder_count,
        "industry": INDUSTRIES.get(account.industry or "", account.industry),
        "tier": TIERS.get(account.tier or "", account.tier),
        "owner": owner and (owner.name or owner.email),
        "renewal_on": account.renewal_on and account.renewal_on.isoformat(),
        "revenue": revenue and revenue.amount,
        "currency": revenue and revenue.currency,
    }
