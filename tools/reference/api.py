"""docs/api: the OpenAPI document of each service, and a table of all calls for people."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import services
from shared.settings import CommonSettings

FOLDER = "docs/api"
MADE = "Made by `make docs` from the services' routes; not edited by hand."
METHODS = ("get", "post", "put", "patch", "delete")
# The documents do not depend on any setting; these are only there because the services require them.
NOWHERE = CommonSettings.model_validate(
    {
        "kafka_bootstrap_servers": "127.0.0.1:9",
        "database_url": "postgresql://nobody@127.0.0.1:9/none",
        "secret_keys": "0123456789abcdefghijklmnopqrstuvwxyz",
    }
)


def documents() -> dict[str, str]:
    """File name -> text."""
    described = {name: openapi(name) for name in names()}
    files = {f"{FOLDER}/{name}.openapi.json": _json(document) for name, document in described.items()}
    return files | {f"{FOLDER}/README.md": _table(described)}


def names() -> list[str]:
    """The services that answer HTTP."""
    return sorted(path.parent.name for path in Path(services.__path__[0]).glob("*/app.py"))


def openapi(service: str) -> dict[str, Any]:
    """The OpenAPI document of this service. Nothing is connected to."""
    built: dict[str, Any] = import_module(f"services.{service}.app").build(NOWHERE).openapi()
    return built


def _table(described: dict[str, dict[str, Any]]) -> str:
    lines = ["# HTTP APIs", "", MADE, "", "A running service shows the same at `/docs`.", ""]
    for service, document in described.items():
        lines += [f"## {service}", "", f"{document['info'].get('description', '')}".strip(), ""]
        lines += [f"[{service}.openapi.json]({service}.openapi.json)", "", "| call | does |", "| --- | --- |"]
        for path, item in sorted(document["paths"].items()):
            for method in METHODS:
                if method in item:
                    lines.append(f"| `{method.upper()} {path}` | {_cell(item[method].get('summary', ''))} |")
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
