"""Without its database the dashboard shows an error on every page: 503, and no unexpected failure."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.cli.embedded.process import free_port
from services.dashboard.web.forms import SESSION
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback
from tests.support.strange_pages import PAGES

pytestmark = [pytest.mark.slow]
NAMED = {
    "account_id": "a",
    "stakeholder_id": "b",
    "follow_up_id": "c",
    "endpoint_id": "d",
    "delivery_id": "e",
    "rule_id": "f",
    "survey_id": "g",
    "review_id": "h",
    "draft_id": "i",
    "import_id": "j",
    "receipt_id": "k",
    "programme_id": "l",
    "day": "2026-03-01",
}


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    variables = {
        "TELLBACK_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "TELLBACK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "TELLBACK_SECRET_KEY": "2f1c9b7e5d3a8064_Zq3Xw9Lm5Tn7Rp1V_and_more",
    }
    child = start(tellback("serve", "dashboard", "--port", str(port)), tmp_path / "dashboard.log", variables)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(
            base_url=url, cookies={SESSION: "somebody"}, timeout=60, trust_env=False
        ) as client:

            async def serves() -> bool:
                try:
                    return (await client.get("/health/live")).is_success
                except httpx.HTTPError:
                    return False

            await eventually(serves, 60)
            yield client
    finally:
        end(child)


async def test_every_page_says_that_it_cannot_be_shown_now(browser: httpx.AsyncClient) -> None:
    answers = {page: await browser.get(page.format(**NAMED)) for page in PAGES}
    assert {page: answer.status_code for page, answer in answers.items()} == dict.fromkeys(PAGES, 503)
    assert [page for page, answer in answers.items() if "retry-after" not in answer.headers] == []
