"""The scorer against its own OpenAPI document: generated calls, good and bad, never end in a 5xx, and every answer is
one that the document promises."""

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import asyncpg
import pytest
import schemathesis

from tests.integration.scorer.reading import insert
from tests.integration.scorer.worlds import a_world
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.openapi import CHECKS, generated, stored
from tests.support.scorer import answering

EXAMPLES = 5
"""Calls an operation: the whole takes about a minute."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
schema = schemathesis.openapi.from_dict(stored("scorer")).exclude(path="/v1/stream")
"""The stream has no end; its own tests read it."""


@pytest.fixture(scope="module")
async def scorer(module_environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The base URL of one with some answers stored."""
    world = a_world(Random(7))
    tables = await asyncpg.connect(module_environment.database_url, server_settings={"search_path": "scorer,public"})
    try:
        await insert(tables, world)
        await tables.executemany(
            "insert into dirty_accounts (account_id, dirty_since) values ($1, now())",
            [(account_id,) for account_id in world.account_ids()],
        )
    finally:
        await tables.close()
    with answering(module_environment, tmp_path_factory.mktemp("logs")) as url:
        yield url


@pytest.fixture(scope="module")
async def headers(module_environment: Environment) -> dict[str, str]:
    return bearer(await api_key(module_environment, ("read", "manage")))


@schema.parametrize()
@generated(EXAMPLES)
def test_a_generated_call_gets_a_promised_answer(
    case: "schemathesis.Case[Any]", scorer: str, headers: dict[str, str]
) -> None:
    response = case.call(base_url=scorer, headers=headers)
    case.validate_response(response, checks=CHECKS)
