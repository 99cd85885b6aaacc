"""Rows of the grid of accounts, a block at a time: asked by the browser with the session's cookie."""

import asyncio
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api, Away, Refused
from services.dashboard.web.forms import SESSION
from services.dashboard.web.resources import resources
from shared.errors import TellbackError
from shared.http.routing import Router
from shared.industries import NAMES as INDUSTRIES

Json = dict[str, Any]
router = Router(include_in_schema=False)
BLOCK = 200
FILTERS = ("class", "tier", "industry", "owner", "region")
UNCOUNTED = ("q", "class", "cursor")
"""With these nobody says how many rows there are, or it was said with the first block."""
TIERS = {"premium": "Premium", "key": "Key", "small": "Small"}
CLASSES = {code: f"{wording.CLASS_SIGNS[code]} {name}" for code, name in wording.CLASS_NAMES.items()}


@router.get("/rows/accounts")
async def account_rows(request: Request) -> Response:
    """`{rows, next, total}`: next is the cursor of the next block, null at the end; total, of all rows, comes with the
    first block, and is null where it is not known.
    """
    found, query = resources(), request.query_params
    visitor = await found.signing_in.visitor(request.cookies.get(SESSION))
    if visitor is None:
        return _answer({"detail": "Sign in first"}, 401)
    chosen = {name: query[name] for name in FILTERS if query.get(name)}
    try:
        api = await found.keys.api_of(visitor.user)
        asking = api.get(
            "scorer", "/v1/accounts", sort=query.get("sort") or "name", limit=BLOCK,
            q=query.get("q"), cursor=query.get("cursor"), **chosen,
        )  # fmt: skip
        countable = not any(query.get(name) for name in UNCOUNTED)
        page, total = await asyncio.gather(asking, _total(api, chosen, asked=countable))
    except Away as error:
        return _answer({"detail": f"The {error.service} is not reachable"}, 503)
    except TellbackError as error:
        status = error.http_status if isinstance(error, Refused) else error.status
        return _answer({"detail": error.detail or "This does not work right now"}, status)
    rows = [_row(one) for one in page["items"]]
    return _answer({"rows": rows, "next": page["next_cursor"], "total": total})


async def _total(api: Api, chosen: Json, *, asked: bool) -> int | None:
    """How many accounts there are that are like this."""
    if not asked:
        return None
    found = await api.get("scorer", "/v1/portfolio/score", **chosen)
    known = found["groups"][0]["coverage"]["accounts"]["known"] if found["groups"] else None
    return int(known) if known is not None else None


def _answer(content: Json, status: int = 200) -> Response:
    return JSONResponse(content, status, {"cache-control": "no-store"})


def _row(one: Json) -> Json:
    revenue, owner = one["annual_revenue"] or {}, one["owner"] or {}
    return {
        "account_id": one["account_id"],
        "name": one["name"] or one["account_id"],
        "class": CLASSES.get(one["class"], one["class"]),
        "nps": one["nps"],
        "change": one["change"],
        "voices": one["stakeholder_count"],
        "industry": INDUSTRIES.get(one["industry"] or "", one["industry"]),
        "tier": TIERS.get(one["tier"] or "", one["tier"]),
        "region": one["region"],
        "owner": owner.get("name") or owner.get("email"),
        "renewal_on": one["renewal_on"],
        "revenue": revenue.get("amount"),
        "currency": revenue.get("currency"),
    }
