"""Asking on a whole installation: a survey of a template, a person's link, and the forms that their browser posts."""

from typing import Any

import httpx

from tests.integration.outreach.survey_desk import LEGAL
from tests.support.installation import Installation
from tests.support.polling import eventually

SECONDS = 60.0
REASON = "Two deliveries were late and nobody called."
STEPS: tuple[dict[str, str], ...] = (
    {"score": "2", "step": "score", "lang": "en"},
    {"comment": REASON, "reason": "detractor", "step": "reason"},
    {"call": "yes", "step": "details", "finished": "yes"},
)
"""A score of 2 with its reason, by somebody who wants to be called."""


async def made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Any:
    """What was made by a POST."""
    answer = await client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def meet(house: Installation, account: str, *people: str) -> None:
    """Tell the directory of an account with an owner, and of people there with an address."""
    owner = {"name": "Ines Falk", "email": "ines.falk@supplier.example"}
    record: dict[str, Any] = {"name": account.title(), "industry": "freight", "tier": "key", "owner": owner}
    answer = await house.collector.put(f"/v1/accounts/{account}", json=record)
    assert answer.is_success, answer.text
    for person in people:
        path = f"/v1/accounts/{account}/stakeholders/{person}"
        record = {"name": person.title(), "type": "decision_maker", "email": f"{person}@{account}.example"}
        answer = await house.collector.put(path, json=record)
        assert answer.is_success, answer.text


async def published(house: Installation) -> str:
    """A survey that links can be made for; returns its id."""
    survey = await made(house.outreach, "/v1/surveys", {"template": "relationship", "us": "Supplier", "legal": LEGAL})
    await made(house.outreach, f"/v1/surveys/{survey['survey_id']}/publish", {})
    return str(survey["survey_id"])


async def link_row(house: Installation, survey_id: str, account: str, person: str) -> dict[str, Any]:
    """What asking for a person's link says, once outreach has read of the person."""
    wanted = {"people": [{"account_id": account, "stakeholder_id": person}]}

    async def said() -> dict[str, Any]:
        answer = await house.outreach.post(f"/v1/surveys/{survey_id}/links", json=wanted)
        if not answer.is_success:
            return {}
        (row,) = answer.json()["items"]
        if row["problem"] is not None and row["problem"]["reason"] in ("reading_behind", "not_in_directory"):
            return {}
        return dict(row)

    return await eventually(said, timeout=SECONDS)


async def answer_by(url: str) -> None:
    """Open the page of a link and post its forms, as a browser does that keeps nothing."""
    async with httpx.AsyncClient(follow_redirects=True, timeout=20, trust_env=False) as browser:
        page = await browser.get(url)
        assert (page.status_code, "set-cookie" in page.headers) == (200, False)
        for step in STEPS:
            answered = await browser.post(url, data=step)
            assert answered.status_code == 200, answered.text


async def counted(house: Installation, account: str, answers: int) -> dict[str, Any]:
    """The account's figures, once they count so many answers."""

    async def found() -> dict[str, Any]:
        answer = await house.scorer.get(f"/v1/accounts/{account}/score", params={"window": "90d", "method": "all"})
        if not answer.is_success or answer.json()["response_count"] != answers:
            return {}
        return dict(answer.json())

    return await eventually(found, timeout=SECONDS)
