"""What libraries promise to nobody: what we use of it stands in one module a library, and fails here when it moves."""

import ast
import inspect
from dataclasses import fields
from pathlib import Path
from typing import get_args

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from nicegui import Client, core
from pydantic import BaseModel
from pydantic_core.core_schema import ErrorType

from services.dashboard.web.live import MESSAGES
from tests.architecture.tree import imported, modules, name, parsed

HOMES = ("shared/kafka/",)
"""Where underscored names of others may stand: those of aiokafka."""
FASTAPI_HOME = "shared/http/routing.py"
NICEGUI_HOME = "services/dashboard/web/live.py"
OURS = ("_asdict", "_replace", "_exit")
"""Underscored, and yet public: of named tuples and of `os`."""


def test_no_module_reaches_into_a_library() -> None:
    found = [
        f"{name(path)}:{attribute.lineno} {ast.unparse(attribute)}"
        for path in modules("services", "shared")
        if not name(path).startswith(HOMES)
        for attribute in _foreign_private(path)
    ]
    assert found == []


def test_what_routes_are_made_of_stands_in_one_module() -> None:
    importers = {
        name(path)
        for path in modules("services", "shared")
        for _, module in imported(path)
        if module.startswith("fastapi.dependencies")
    }
    assert importers == {FASTAPI_HOME}


def test_fastapi_still_says_what_a_route_needs() -> None:
    """The edge reads them to know who may call, and which parameters there are, before FastAPI reads the body."""

    class Body(BaseModel):
        text: str

    async def call(body: Body, limit: int = 1) -> None: ...

    app = FastAPI()
    app.post("/calls")(call)
    [route] = [route for route in app.routes if isinstance(route, APIRoute)]
    assert {"call", "dependencies", "query_params"} <= {field.name for field in fields(Dependant)}
    assert [(field.alias, field.field_info.annotation) for field in route.dependant.query_params] == [("limit", int)]
    assert route.body_field is not None
    assert route.body_field.field_info is not None


def test_aiokafka_still_asks_its_fetcher_how_long_the_broker_may_wait() -> None:
    assert "self._fetch_max_wait_ms," in inspect.getsource(Fetcher._get_actions_per_node)
    assert "self._fetcher = Fetcher(" in inspect.getsource(AIOKafkaConsumer)


def test_pydantic_still_lists_the_types_of_its_errors() -> None:
    """By them our own codes are told from pydantic's, whose texts may repeat the input."""
    assert {"missing", "string_too_long", "extra_forbidden"} <= set(get_args(ErrorType))


def test_what_nicegui_hears_from_browsers_stands_in_one_module() -> None:
    assert _users_of("sio") == [NICEGUI_HOME]


def test_nicegui_still_hears_browsers_by_these_names() -> None:
    assert {"connect", "disconnect", *MESSAGES} <= core.sio.handlers["/"].keys()
    assert isinstance(Client.instances, dict)


def _foreign_private(path: Path) -> list[ast.Attribute]:
    """Attributes with an underscore of what the module itself has not made."""
    nodes = list(ast.walk(parsed(path)))
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    own |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and _is_self(node.value)}
    return [
        node
        for node in nodes
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not (node.attr.startswith("__") or node.attr in OURS or node.attr in own or _is_self(node.value))
    ]


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _users_of(attribute: str) -> list[str]:
    return [
        name(path)
        for path in modules("services")
        if any(isinstance(node, ast.Attribute) and node.attr == attribute for node in ast.walk(parsed(path)))
    ]
