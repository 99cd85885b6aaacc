"""What the portfolio is worth, and how much of it is at risk."""

from typing import Annotated, Any

from fastapi import Depends, Query

from services.scorer.api.naming import named
from services.scorer.api.parameters import AccountFilters, AsOf, Currency
from services.scorer.api.resources import Resources
from services.scorer.domain.revenue import revenue_of
from services.scorer.store.reading.classes import class_names
from services.scorer.store.reading.freshness import stale_accounts
from services.scorer.store.reading.portfolio import default_currency
from services.scorer.store.reading.revenue import customers
from shared.api.business import PortfolioRevenue
from shared.http.auth import Reader
from shared.http.query import no_repeats
from shared.http.routing import Router

router = Router(tags=["portfolio"], dependencies=[Depends(no_repeats)])


class RevenueQuery(AccountFilters):
    """Which accounts, in which currency."""

    as_of: AsOf = None
    currency: Currency = None


@router.get("/v1/portfolio/revenue", response_model=PortfolioRevenue, response_model_exclude_unset=True)
async def get_portfolio_revenue(
    caller: Reader, resources: Resources, asked: Annotated[RevenueQuery, Query()]
) -> dict[str, Any]:
    """Annual revenue of the accounts in the directory by class and by quarter of renewal; `revenue_at_risk` is that of
    the accounts whose class is at_risk. Classes are as of the moment, revenue and renewal are the directory's now."""
    filters = asked.filters()
    async with resources.database.read() as tx:
        currency = asked.currency or await default_currency(tx, filters, caller.owner_email)
        as_of, thresholds = resources.moment(asked.as_of), resources.settings.thresholds()
        stale = None
        if asked.as_of is None:
            stale = await stale_accounts(tx, as_of)
        classes = await class_names(tx, as_of, thresholds, stale)
        found = await customers(tx, filters, caller.owner_email, classes)
    return named(revenue_of(found, currency), as_of=asked.as_of)
