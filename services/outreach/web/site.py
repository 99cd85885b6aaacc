"""All pages of respondents, put beside the API."""

from fastapi import FastAPI

from services.outreach.web import assets, branding, review, review_assets, stop, survey


def mount(app: FastAPI) -> None:
    """Add the pages to the routes of the service."""
    beside = (*assets.ROUTES, *branding.ROUTES, *review_assets.ROUTES)
    app.router.routes.extend((*beside, survey.ROUTE, stop.ROUTE, review.ROUTE))
