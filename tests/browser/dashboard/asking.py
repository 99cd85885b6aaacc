"""Surveys, links and business reviews for the browser's tests, made by outreach's API."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.browser.dashboard.site import Site
from tests.support.polling import eventually

LEGAL = {
    "legal_name": "Supplier Ltd",
    "postal_address": "1 Quay Street, Bristol",
    "imprint_url": "https://supplier.example/imprint",
    "privacy_url": "https://supplier.example/privacy",
}
MARA = {"account_id": "northwind", "stakeholder_id": "mara.lindqvist@northwind.example"}


async def published_survey(where: Site, template: str, **fields: Any) -> str:
    """The id of a survey of this template, published in English and German."""
    outreach = where.installation.outreach
    body = {"template": template, "languages": ["en", "de"], "us": "Supplier", "legal": LEGAL, **fields}
    made = await outreach.post("/v1/surveys", json=body)
    assert made.status_code == 201, made.text
    survey_id = str(made.json()["survey_id"])
    published = await outreach.post(f"/v1/surveys/{survey_id}/publish")
    assert published.is_success, published.text
    return survey_id


async def programme_for(where: Site, survey_id: str, name: str, **fields: Any) -> str:
    """The id of a programme for one wave two months from now, unless told otherwise; a draft."""
    when = {"type": "once", "on": (datetime.now(UTC).date() + timedelta(days=60)).isoformat()}
    sender = {"kind": "named", "name": "Lea Maier", "email": "lea@supplier.example"}
    body = {"name": name, "survey_id": survey_id, "when": when, "sender": sender, **fields}
    made = await where.installation.outreach.post("/v1/programmes", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["programme_id"])


async def links_for(where: Site, survey_id: str, **wanted: Any) -> list[dict[str, Any]]:
    """A row for each person; as soon as outreach has read whom others have asked."""
    rows: list[dict[str, Any]] = []

    async def made() -> bool:
        answer = await where.installation.outreach.post(f"/v1/surveys/{survey_id}/links", json=wanted)
        if answer.is_success:
            rows.extend(answer.json()["items"])
        return answer.is_success

    await eventually(made, timeout=60)
    return rows
