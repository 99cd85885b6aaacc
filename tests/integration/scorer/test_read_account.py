"""One account with all that its page shows: it says what the calls for its parts say."""

from typing import Any

import pytest

from shared.api.accounts import Account, ListedAccount
from shared.api.figures import Comparison
from tests.integration.scorer.reading import Reader
from tests.integration.scorer.worlds import WORLD

OF_ONE = Account.model_fields.keys() - ListedAccount.model_fields.keys()
"""What the list does not have."""


@pytest.fixture(scope="module", autouse=True)
async def world(reader: Reader) -> None:
    """The accounts of this module."""
    await reader.put(WORLD)


def figures(body: dict[str, Any]) -> dict[str, Any]:
    """The figures of a body, without what names them."""
    return {name: body[name] for name in Comparison.model_fields}


@pytest.mark.parametrize(
    "query", [{}, {"window": "30d"}, {"window": "all", "method": "all"}, {"as_of": "2026-05-01T00:00:00Z"}]
)
async def test_an_account_is_its_line_of_the_list_and_its_scores(reader: Reader, query: dict[str, str]) -> None:
    body = await reader.body("/v1/accounts/acme", **query)
    listed = next(account for account in await reader.items("/v1/accounts", **query) if account["account_id"] == "acme")
    assert {name: value for name, value in body.items() if name not in OF_ONE} == listed
    for part in body["by_stakeholder_type"]:
        of_role = await reader.body("/v1/accounts/acme/score", stakeholder_type=part["stakeholder_type"], **query)
        assert figures(part) == figures(of_role)
    for part in body["by_survey"]:
        asked = {"survey_type": part["survey_type"], "touchpoint": part["touchpoint"]}
        assert figures(part) == figures(await reader.body("/v1/accounts/acme/score", **asked, **query))


async def test_every_role_is_there_and_nps_of_all_answers_comes_first(reader: Reader) -> None:
    body = await reader.body("/v1/accounts/acme")
    assert [part["stakeholder_type"] for part in body["by_stakeholder_type"]] == [
        "decision_maker",
        "user",
        "influencer",
    ]
    assert body["by_survey"][0]["survey_type"] == "nps"
    assert body["by_survey"][0]["touchpoint"] is None
    assert "csat" in [part["survey_type"] for part in body["by_survey"]]
    bolt = await reader.body("/v1/accounts/bolt")
    assert [(part["survey_type"], part["touchpoint"]) for part in bolt["by_survey"]] == [("nps", None)]


async def test_an_account_that_the_directory_does_not_list_has_figures_all_the_same(reader: Reader) -> None:
    body = await reader.body("/v1/accounts/cargo")
    assert (body["name"], body["removed"], body["response_count"]) == ("Cargo_One", True, 1)


async def test_an_account_that_is_unknown_or_not_the_callers_is_a_404(reader: Reader) -> None:
    assert await reader.code("/v1/accounts/nobody", 404) == "unknown_account"
    kim = await reader.limited_to("kim@supplier.example")
    assert await kim.code("/v1/accounts/bolt", 404) == "unknown_account"
    assert (await kim.body("/v1/accounts/acme"))["name"] == "Acme"


async def test_the_trend_gives_the_answers_in_the_time_of_its_points(reader: Reader) -> None:
    asked = {"interval": "month", "points": 2}
    plain = await reader.body("/v1/accounts/acme/trend", **asked)
    assert "answers" not in plain
    body = await reader.body("/v1/accounts/acme/trend", answers=True, **asked)
    first = body["points"][0]["from"]
    listed = await reader.items("/v1/responses", account_id="acme", survey_type="nps", sort="answered_at")
    names = ("response_id", "stakeholder_id", "answered_at", "score", "category")
    wanted = [{name: response[name] for name in names} for response in listed if response["answered_at"] >= first]
    assert body["answers"] == wanted
    assert wanted
    assert {name: value for name, value in body.items() if name != "answers"} == plain


async def test_responses_with_and_without_a_comment_are_all_of_them(reader: Reader) -> None:
    said = await reader.items("/v1/responses", account_id="acme", commented=True)
    rest = await reader.items("/v1/responses", account_id="acme", commented=False)
    assert [response["response_id"] for response in said] == ["r2"]
    assert len(rest) == len(await reader.items("/v1/responses", account_id="acme")) - 1
