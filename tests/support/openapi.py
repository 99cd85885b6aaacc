"""A service's OpenAPI document, made without starting the service, and calls generated from a stored document."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.http.app import create_app
from shared.http.routing import Router

ROOT = Path(__file__).parents[2]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
"""The checks of every answer to a generated call."""


@dataclass(frozen=True)
class Described:
    """A document, and those of its operations (`GET /v1/…`) that the service's own routers define."""

    document: dict[str, Any]
    operations: dict[str, dict[str, Any]]

    def has_example(self, schema: dict[str, Any], *, named: Sequence[str] = ("example",)) -> bool:
        """Whether the schema, a schema that it refers to, each of those that it may be, or the items of its list have
        an example, under one of the names."""
        if "anyOf" in schema:
            return all(self.has_example(choice, named=named) for choice in schema["anyOf"])
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        items = schema.get("properties", {}).get("items", {}).get("items")
        return any(name in schema for name in named) or (items is not None and self.has_example(items, named=named))


def described(service: str, routers: Sequence[Router]) -> Described:
    """The document of a service with these routers."""
    document = create_app(service, service.capitalize(), "", list(routers), _nothing).openapi()
    own = {route.path for router in routers for route in router.routes if isinstance(route, APIRoute)}
    calls = ((path, method, call) for path, calls in document["paths"].items() for method, call in calls.items())
    return Described(document, {f"{method} {path}": call for path, method, call in calls if path in own})


def stored(service: str) -> dict[str, Any]:
    """The document in docs/api."""
    document: dict[str, Any] = json.loads((ROOT / f"docs/api/{service}.openapi.json").read_text())
    return document


def generated(examples: int) -> settings:
    """Settings for so many generated calls of each operation, the same in every run, besides its explicit examples."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@asynccontextmanager
async def _nothing(_app: FastAPI) -> AsyncIterator[None]:
    yield
