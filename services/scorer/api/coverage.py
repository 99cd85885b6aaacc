"""Who is listened to: coverage of the portfolio and its gaps."""

from typing import Annotated, Any

from fastapi import Depends, Query

from services.scorer.api.naming import named
from services.scorer.api.parameters import AccountFilters, AsOf, WindowName
from services.scorer.api.resources import Resources
from services.scorer.domain.gaps import gaps_of, selection_of
from services.scorer.domain.windows import parse_window
from services.scorer.store.reading.gaps import reached_accounts, scored_before
from shared.api.reach import PortfolioGaps
from shared.http.auth import Reader
from shared.http.query import no_repeats
from shared.http.routing import Router

router = Router(tags=["portfolio"], dependencies=[Depends(no_repeats)])


class CoverageQuery(AccountFilters):
    """Which accounts, and the window in which they were asked."""

    window: WindowName = "90d"
    as_of: AsOf = None


@router.get("/v1/portfolio/coverage", response_model=PortfolioGaps, response_model_exclude_unset=True)
async def get_portfolio_coverage(
    caller: Reader, resources: Resources, asked: Annotated[CoverageQuery, Query()]
) -> dict[str, Any]:
    """Accounts without a decision-maker, accounts that hang on a single person, accounts that were never asked in 12
    months; and whether those asked in the window had scored higher before it than those left out, which warns of
    picking friendly customers. Removed accounts and people are left out."""
    as_of = resources.moment(asked.as_of)
    span, filters = parse_window(asked.window).span(as_of), asked.filters()
    async with resources.database.read() as tx:
        accounts = await reached_accounts(tx, filters, caller.owner_email, span, current=asked.as_of is None)
        chosen, left_out = await scored_before(tx, filters, caller.owner_email, span, current=asked.as_of is None)
    selection = selection_of(chosen, left_out)
    warnings = selection.pop("warnings")
    body = gaps_of(accounts, as_of) | {"selection": selection, "warnings": warnings}
    return named(body, window=asked.window, as_of=asked.as_of)
