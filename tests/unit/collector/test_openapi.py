"""The OpenAPI document of the collector: whole, and with an example for whatever takes a body."""

import json
import re
from typing import Any

import pytest
from pydantic import SecretStr

from services.collector.app import build
from shared.settings import CommonSettings


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    common = CommonSettings(
        kafka_bootstrap_servers="127.0.0.1:1",
        database_url="postgresql://nobody@127.0.0.1:1/none",
        secret_key=SecretStr("2f1c9b7e5d3a8064_Zq3Xw9Lm5Tn7Rp1V"),
    )
    return build(common).openapi()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        found: Any = document
        for part in reference.split("/"):
            assert part in found, reference
            found = found[part]


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    without = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None and "example" not in content:
                name = content["schema"]["$ref"].rpartition("/")[2]
                if not schemas[name].get("examples"):
                    without.append(f"{method} {path}")
    assert without == []


def test_the_calls_of_the_contract_are_there(document: dict[str, Any]) -> None:
    calls = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    record = "/v1/accounts/{account_id}"
    person = record + "/stakeholders/{stakeholder_id}"
    assert calls >= {
        "POST /v1/responses",
        "POST /v1/responses/batch",
        "PATCH /v1/responses/{response_id}",
        "DELETE /v1/responses/{response_id}",
        *(f"{method} {path}" for method in ("PUT", "PATCH", "GET", "DELETE") for path in (record, person)),
        "POST /v1/directory/batch",
        "POST /v1/invitation-events",
        "POST /v1/context-events",
        "POST /v1/imports",
        "GET /v1/imports/{import_id}",
        "GET /v1/keys",
        "POST /v1/keys",
        "DELETE /v1/keys/{key_id}",
        "GET /v1/me",
        "GET /v1/dead-letters",
        "GET /v1/conflicts",
    }
