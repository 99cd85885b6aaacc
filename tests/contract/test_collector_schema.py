"""The collector against its own OpenAPI document: generated calls, good and bad, never end in a 5xx, and every answer
is one that the document promises."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.cli.embedded.process import free_port
from tests.support.collector import Collecting, collecting
from tests.support.environment import Environment
from tests.support.http import api_key, bearer

ROOT = Path(__file__).parents[2]
DOCUMENT = json.loads((ROOT / "docs/api/collector.openapi.json").read_text())
SCOPES = ("ingest", "read", "manage", "erase")
EXAMPLES = int(os.environ.get("TELLBACK_TEST_EXAMPLES", "2"))
"""Generated calls an operation, beside the explicit ones; more of them look deeper: `TELLBACK_TEST_EXAMPLES=50`."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
schema = schemathesis.openapi.from_dict(DOCUMENT)


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
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_a_generated_call_gets_a_promised_answer(
    case: "schemathesis.Case[Any]", collector: Collecting, headers: dict[str, str]
) -> None:
    response = case.call(base_url=collector.url, headers=headers)
    case.validate_response(response, checks=CHECKS)
