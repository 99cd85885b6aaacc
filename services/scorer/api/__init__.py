"""HTTP in: the routes of the scorer and the bodies of their answers."""

from services.scorer.api import accounts, changes, erasures, explanations, people, portfolio, responses, trends

ROUTERS = (
    accounts.router,
    people.router,
    portfolio.router,
    trends.router,
    changes.router,
    explanations.router,
    responses.router,
    erasures.router,
)
"""All routes of the scorer API, for app.py."""
