"""HTTP in: the routes of the scorer and the bodies of their answers."""

from services.scorer.api import (
    account,
    accounts,
    changes,
    coverage,
    drivers,
    erasures,
    explanations,
    exports,
    funnel,
    imports,
    metrics,
    names,
    people,
    portfolio,
    responses,
    revenue,
    stream,
    trends,
)

ROUTERS = (
    accounts.router,
    account.router,
    people.router,
    names.router,
    portfolio.router,
    funnel.router,
    coverage.router,
    revenue.router,
    drivers.router,
    metrics.router,
    trends.router,
    changes.router,
    explanations.router,
    responses.router,
    exports.router,
    stream.router,
    erasures.router,
    imports.router,
)
"""All routes of the scorer API, for app.py."""
