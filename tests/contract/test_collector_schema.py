"""The collector against its own OpenAPI document: generated calls, good and bad, never end in a 5xx, and every answer
is one that the document promises."""

import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import schemathesis

from services.cli.embedded.process import free_port
from tests.support.collector import Collecting, collecting
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.openapi import CHECKS, generated, stored

SCOPES = ("ingest", "read", "act", "manage", "erase")
EXAMPLES = int(os.environ.get("TELLBACK_TEST_EXAMPLES", "2"))
"""Generated calls an operation, beside the explicit ones; more of them look deeper: `TELLBACK_TEST_EXAMPLES=50`."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
schema = schemathesis.openapi.from_dict(stored("collector"))


@schemathesis.serializer("application/x-ndjson")
def lines(_context: object, value: object) -> bytes:
    """NDJSON: a line for each item; what is no array is one line."""
    items = value if isinstance(value, list) else [value]
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


@pytest.fixture(scope="module")
async def collector(
    module_environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Collecting]:
    logs = tmp_path_factory.mktemp("logs")
    async with collecting(module_environment, logs, free_port()) as found:
        yield found


@pytest.fixture(scope="module")
async def headers(module_environment: Environment) -> dict[str, str]:
    return bearer(await api_key(module_environment, SCOPES))


@schema.parametrize()
@generated(EXAMPLES)
def test_a_generated_call_gets_a_promised_answer(
    case: "schemathesis.Case[Any]", collector: Collecting, headers: dict[str, str]
) -> None:
    response = case.call(base_url=collector.url, headers=headers)
    case.validate_response(response, checks=CHECKS)
