"""The company's colour and logo on the pages of respondents."""

import base64
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.outreach.domain.colours import on_dark, on_light
from services.outreach.domain.tokens import Purpose, Tokens
from services.outreach.web.assets import STYLE
from tests.integration.outreach.survey_desk import READY, SurveyDesk, survey_desk
from tests.support.environment import Environment
from tests.support.respondents import put_ask, schema

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
async def desk(module_environment: Environment) -> AsyncIterator[SurveyDesk]:
    async with survey_desk(module_environment) as running:
        yield running


async def uploaded(desk: SurveyDesk, content: bytes = PNG, status: int = 201, **options: Any) -> Any:
    body = {"content": base64.b64encode(content).decode()}
    answer = await desk.client.post("/v1/survey-logos", json=body, **options)
    assert answer.status_code == status, answer.text
    return answer.json()


async def page_of(desk: SurveyDesk, survey_id: str) -> str:
    """The path of the page of somebody who is asked by this survey."""
    async with schema(desk.environment) as connection:
        ask_id = await put_ask(connection, desk.clock.now(), survey_id)
    secret = desk.environment.common.secret_key.get_secret_value()
    return f"/s/{Tokens([secret]).made(Purpose.ASK, ask_id.bytes)}"


async def test_q12_a_page_has_the_logo_and_the_colour_of_the_company(desk: SurveyDesk) -> None:
    logo = (await uploaded(desk))["logo"]
    survey_id = await desk.published(colour="#FFD400", logo=logo, us="Fast Freight")
    page = await desk.client.get(await page_of(desk, survey_id))
    brand, picture = re.findall(r'(?:href|src)="\.\./(s/(?:brand|logo)/[^"]+)"', page.text)
    assert 'alt="Fast Freight"' in page.text
    style = await desk.client.get(f"/{brand}")
    assert style.headers["content-type"].startswith("text/css")
    for accent in (on_light("#ffd400"), on_dark("#ffd400")):
        assert f"--accent:{accent.accent};--on-accent:{accent.on_accent}" in style.text
    shown = await desk.client.get(f"/{picture}")
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert len(page.content) + len(STYLE) + len(style.content) < 20_000
    assert "img-src 'self'" in page.headers["content-security-policy"]


async def test_the_preview_holds_both_within_itself(desk: SurveyDesk) -> None:
    logo = (await uploaded(desk))["logo"]
    survey_id = (await desk.begun(colour="#ffd400", logo=logo))["survey_id"]
    shown = await desk.client.get(f"/v1/surveys/{survey_id}/preview")
    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in shown.text
    assert f"--accent:{on_light('#ffd400').accent}" in shown.text
    assert "../s/" not in shown.text


async def test_what_is_no_small_picture_is_refused(desk: SurveyDesk) -> None:
    for content in (b"<svg/>", b"", PNG.ljust(200_001, b"x")):
        problem = await uploaded(desk, content, 422)
        assert problem["errors"][0]["field"] == "content"


async def test_a_survey_names_only_logos_that_are_there(desk: SurveyDesk) -> None:
    problem = await desk.call("POST", "", 422, json=READY | {"logo": "0" * 32})
    assert [error["code"] for error in problem["errors"]] == ["unknown_logo"]


async def test_c37_only_managers_upload(desk: SurveyDesk) -> None:
    await uploaded(desk, status=403, headers=await desk.with_key("read", "act"))


@pytest.mark.parametrize("path", ["/s/brand/red.css", "/s/brand/FFD400.css", f"/s/logo/{'x' * 44}", "/s/logo/1"])
async def test_what_nobody_made_is_not_there(desk: SurveyDesk, path: str) -> None:
    assert (await desk.client.get(path)).status_code == 404


async def test_the_next_survey_looks_like_the_one_published_last(desk: SurveyDesk) -> None:
    logo = (await uploaded(desk))["logo"]
    await desk.published(colour="#123456", logo=logo, booking_url="https://calls.example/all")
    bare = {name: value for name, value in READY.items() if name != "legal"}
    draft = (await desk.call("POST", "", 201, json=bare))["draft"]
    assert (draft["colour"], draft["logo"]) == ("#123456", logo)
    assert (draft["booking_url"], draft["booking_for"]) == ("https://calls.example/all", [])
