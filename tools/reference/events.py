"""docs/events: a JSON Schema for each event type, an AsyncAPI 3 document, and a table for people."""

import inspect
import json
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import yaml

import services
import shared.events
from shared.events.envelope import EventData, registered
from shared.topics import TOPICS, Topic, event_type

FOLDER = "docs/events"
SAMPLES = Path(__file__).parents[2] / "tests" / "contract" / "samples"
MADE = "Made by `make docs` from shared/topics.py and shared/events; not edited by hand."
SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
NOT_SERVICES = ("cli",)


def documents() -> dict[str, str]:
    """File name -> text."""
    schemas = {f"{FOLDER}/{schema_file(of_type)}": _json(schema(of_type)) for of_type in models()}
    return schemas | {f"{FOLDER}/asyncapi.yaml": _asyncapi_text(), f"{FOLDER}/README.md": _table()}


@cache
def models() -> dict[str, type[EventData]]:
    """CloudEvents type -> model, of all event modules, in the order of the topics."""
    for module in iter_modules(shared.events.__path__):
        import_module(f"shared.events.{module.name}")
    known = registered()
    carried = [event_type(name) for topic in TOPICS for name in topic.events]
    return {of_type: known[of_type] for of_type in carried} | known


def schema_file(of_type: str) -> str:
    """The name of the file that holds the JSON Schema of this type."""
    return f"{of_type}.schema.json"


def schema(of_type: str) -> dict[str, Any]:
    """The JSON Schema of the data of this type, as it is written."""
    model = models()[of_type]
    made = model.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | made | {"title": of_type}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document: channels are topics, messages event types, operations those of services."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tellback events",
            "version": "1.0.0",
            "description": (
                "CloudEvents 1.0 in Kafka's binary mode: the attributes are record headers, the value is the "
                "data. Within a major version fields are only added, and only optional ones; readers ignore "
                "fields that they do not know. Every topic is partitioned by murmur2 of the account_id. "
                "TELLBACK_TOPIC_PREFIX goes before each address.\n" + MADE
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": _operations(),
        "components": {"messages": {of_type: _message(of_type) for of_type in models()}},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    settings = topic.config()
    configuration: dict[str, Any] = {"cleanup.policy": [settings["cleanup.policy"]]}
    if topic.retention_ms is not None:
        configuration["retention.ms"] = topic.retention_ms
    configuration["max.message.bytes"] = topic.max_message_bytes
    types = [event_type(name) for name in topic.events]
    channel: dict[str, Any] = {"address": topic.name}
    if types:
        channel["messages"] = {of_type: {"$ref": f"#/components/messages/{of_type}"} for of_type in types}
    else:
        channel["description"] = "Any record that could not be read, byte for byte, with the reason in its headers."
    return channel | {"bindings": {"kafka": {"topicConfiguration": configuration, "bindingVersion": "0.5.0"}}}


def _message(of_type: str) -> dict[str, Any]:
    return {
        "name": of_type,
        "summary": _says(models()[of_type]),
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"],
            "properties": {
                "ce_specversion": {"const": "1.0"},
                "ce_id": {"type": "string", "format": "uuid"},
                "ce_type": {"const": of_type},
                "ce_source": {"type": "string", "format": "uri-reference"},
                "ce_time": {"type": "string", "format": "date-time"},
                "ce_sender": {"type": "string", "description": "Id of the API key that sent it, where one did."},
                "content-type": {"const": "application/json"},
            },
        },
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": f"./{schema_file(of_type)}"}},
        "examples": [
            {"name": path.stem, "headers": record["headers"], "payload": record["value"]}
            for path, record in _samples(of_type)
        ],
    }


def _operations() -> dict[str, Any]:
    found = {}
    for module in iter_modules(services.__path__):
        if module.name in NOT_SERVICES:
            continue
        service = import_module(f"services.{module.name}")
        for action, verb, topics in (("send", "emits", service.EMITS), ("receive", "reads", service.READS)):
            for topic in topics:
                channel = {"$ref": f"#/channels/{topic.name}"}
                found[f"{module.name}.{verb}.{topic.name}"] = {"action": action, "channel": channel}
    return found


def _samples(of_type: str) -> list[tuple[Path, dict[str, Any]]]:
    files = sorted(SAMPLES.glob(f"{of_type}.json")) + sorted(SAMPLES.glob(f"{of_type}.*.json"))
    return [(path, json.loads(path.read_text(encoding="utf-8"))) for path in files]


def _asyncapi_text() -> str:
    return yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=110)


def _table() -> str:
    lines = ["# Events", "", MADE, "", "[asyncapi.yaml](asyncapi.yaml) says the same for machines.", ""]
    for topic in TOPICS:
        kept = "compacted" if topic.retention_ms is None else f"kept {topic.retention_ms // 86_400_000} days"
        lines += [f"## {topic.name}", "", f"{kept[0].upper()}{kept[1:]}.", ""]
        if not topic.events:
            lines += ["Any record that could not be read, byte for byte, with the reason in its headers.", ""]
            continue
        lines += ["| type | says | data |", "| --- | --- | --- |"]
        for of_type in map(event_type, topic.events):
            sample = f"../../tests/contract/samples/{of_type}.json"
            data = f"[schema]({schema_file(of_type)}), [sample]({sample})"
            lines.append(f"| `{of_type}` | {_says(models()[of_type])} | {data} |")
        lines.append("")
    return "\n".join(lines)


def _says(model: type[EventData]) -> str:
    """The first paragraph of the model's docstring, on one line."""
    return " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
