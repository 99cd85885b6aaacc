"""All pages of respondents, put beside the API."""

from fastapi import FastAPI

from services.outreach.web import assets, branding, review, review_assets, stop, survey


def mount(app: FastAPI) -> None:
    """Add the pages to the routes of the service, before those of the API: routes are tried in their order, and trying
    all of the API's would cost as much as the page itself."""
    beside = (*assets.ROUTES, *branding.ROUTES, *review_assets.ROUTES)
    app.router.routes[:0] = (*beside, survey.ROUTE, stop.ROUTE, review.ROUTE)
