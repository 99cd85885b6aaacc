"""HTTP in: the routes of the scorer and the bodies of their answers."""

from services.scorer.api import (
    accounts,
    changes,
    coverage,
    erasures,
    explanations,
    funnel,
    people,
    portfolio,
    responses,
    trends,
)

ROUTERS = (
    accounts.router,
    people.router,
    portfolio.router,
    funnel.router,
    coverage.router,
    trends.router,
    changes.router,
    explanations.router,
    responses.router,
    erasures.router,
)
"""All routes of the scorer API, for app.py."""
