"""The OpenAPI document of the collector: complete, with an example for every body."""

import json
import re
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from services.collector.api import examples, models
from services.collector.api.delighted import SurveyResponse
from services.collector.app import build
from shared.api.directory import ACCOUNT, STAKEHOLDER, AccountView, StakeholderView
from shared.api.erasures import ACCEPTED_ERASURE, ERASURE, AcceptedErasure, Erasure
from shared.api.imports import IMPORT, ImportView
from shared.settings import CommonSettings
from tests.support.openapi import Described


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    common = CommonSettings(
        kafka_bootstrap_servers="127.0.0.1:1",
        database_url="postgresql://nobody@127.0.0.1:1/none",
        secret_keys=(SecretStr("2f1c9b7e5d3a8064_Zq3Xw9Lm5Tn7Rp1V"),),
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


OWN = ("/v1/responses", "/v1/accounts", "/v1/directory", "/v1/invitation", "/v1/context", "/v1/survey", "/v1/imports")


def test_every_answer_has_an_example(document: dict[str, Any]) -> None:
    described = Described(document, {})
    without = [
        f"{status} of {method} {path}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
        for status, answer in operation["responses"].items()
        if path.startswith(OWN) and status.startswith("2") and "application/json" in answer.get("content", {})
        if not described.has_example(answer["content"]["application/json"]["schema"], named=("example", "examples"))
    ]
    assert without == []


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (models.Accepted, examples.ACCEPTED),
        (models.AcceptedResponse, examples.ACCEPTED_RESPONSE),
        (models.ResponseBatchAnswer, examples.RESPONSE_BATCH),
        (models.EventBatchAnswer, examples.EVENT_BATCH),
        (models.RecordBatchAnswer, examples.RECORD_BATCH),
        (AccountView, ACCOUNT),
        (StakeholderView, STAKEHOLDER),
        (ImportView, IMPORT),
        (Erasure, ERASURE),
        (AcceptedErasure, ACCEPTED_ERASURE),
        (SurveyResponse, examples.SURVEY_RESPONSE),
    ],
)
def test_an_example_is_what_its_model_says(model: type[BaseModel], example: dict[str, Any]) -> None:
    said = model.model_validate(example).model_dump(mode="json", exclude_unset=True)
    assert said == example


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
