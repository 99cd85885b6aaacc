"""The OpenAPI document describes the parameters and all problems of every call."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.edge import edge_app


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return edge_app().openapi()


def responses(document: dict[str, Any], path: str, method: str) -> set[str]:
    return set(document["paths"][path][method]["responses"])


def test_problems_are_those_the_call_can_answer(document: dict[str, Any]) -> None:
    always = {"400", "415", "422", "431", "500"}
    with_key = {"401", "403", "429", "503"}
    assert responses(document, "/v1/answers", "post") == {"200", "413"} | always | with_key
    assert responses(document, "/v1/open-answers", "post") == {"200", "413"} | always
    assert responses(document, "/v1/accounts/{account_id}", "delete") == {"204", "404"} | always | with_key


def test_readiness_keeps_its_own_503(document: dict[str, Any]) -> None:
    content = document["paths"]["/health/ready"]["get"]["responses"]["503"]["content"]
    assert list(content) == ["application/json"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for value in node for found in references(value)] if isinstance(node, list) else []

    for reference in references(document):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_the_examples_of_problems_fit_their_schema(document: dict[str, Any]) -> None:
    components = document["components"]
    schema = components["schemas"]["Problem"] | {"components": components}
    for response in components["responses"].values():
        Draft202012Validator(schema).validate(response["content"]["application/problem+json"]["example"])


def test_scopes_are_shown(document: dict[str, Any]) -> None:
    assert document["paths"]["/v1/answers"]["post"]["security"] == [{"api_key": ["ingest"]}]
    assert document["paths"]["/v1/me"]["get"]["security"] == [{"api_key": []}]
    assert document["components"]["securitySchemes"]["api_key"]["scheme"] == "bearer"


def test_nothing_of_the_stock_errors_is_left(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in str(document)


def test_the_document_is_made_once() -> None:
    app = edge_app()
    assert app.openapi() == app.openapi()
