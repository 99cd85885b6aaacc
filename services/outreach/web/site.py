"""All pages of respondents, put beside the API."""

from fastapi import FastAPI

from services.outreach.web import assets, review, review_assets, stop, survey


def mount(app: FastAPI) -> None:
    """Add the pages to the routes of the service."""
    app.router.routes.extend((*assets.ROUTES, *review_assets.ROUTES, survey.ROUTE, stop.ROUTE, review.ROUTE))
