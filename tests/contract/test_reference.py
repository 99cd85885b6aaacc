"""The generated documents say what the code does."""

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from shared.topics import TOPICS, event_type
from tests.contract.samples import Sample, all_samples
from tests.support.openapi import Described, stored
from tools.reference import events, settings
from tools.reference.__main__ import ROOT, stale, wanted


@pytest.mark.parametrize("sample", [pytest.param(sample, id=sample.file) for sample in all_samples()])
def test_a_sample_fits_the_json_schema_of_its_type(sample: Sample) -> None:
    validator = Draft202012Validator(events.schema(sample.type))
    assert [error.message for error in validator.iter_errors(sample.value)] == []


@pytest.mark.parametrize("of_type", sorted(events.models()))
def test_a_json_schema_refuses_empty_data(of_type: str) -> None:
    Draft202012Validator.check_schema(events.schema(of_type))
    assert not Draft202012Validator(events.schema(of_type)).is_valid({})


def test_the_asyncapi_document_has_every_topic_with_its_events() -> None:
    document = yaml.safe_load(wanted()[ROOT / "docs/events/asyncapi.yaml"])
    channels: dict[str, Any] = document["channels"]
    assert {name: set(channel.get("messages", {})) for name, channel in channels.items()} == {
        topic.name: {event_type(event) for event in topic.events} for topic in TOPICS
    }
    assert channels["directory"]["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"] == ["compact"]
    for message in document["components"]["messages"].values():
        assert message["examples"]
        assert (ROOT / "docs/events" / message["payload"]["schema"]["$ref"]) in wanted()


@pytest.mark.parametrize("service", ["alerting", "benchmark", "collector", "dashboard", "scorer"])
def test_every_json_body_of_a_call_has_an_example(service: str) -> None:
    document = stored(service)
    without = [
        f"{method} {path}"
        for path, calls in document["paths"].items()
        for method, call in calls.items()
        for kind, content in call.get("requestBody", {}).get("content", {}).items()
        if "json" in kind and not {"example", "examples"} & content.keys()
        if not any(has_example(document, schema) for schema in (content["schema"], *content["schema"].get("anyOf", ())))
    ]
    assert without == []


def has_example(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    return Described(document, {}).has_example(schema, named=("example", "examples"))


def test_every_topic_with_events_has_a_service_that_sends_and_one_that_receives() -> None:
    operations = events.asyncapi()["operations"].values()
    for action in ("send", "receive"):
        used = {item["channel"]["$ref"].rpartition("/")[2] for item in operations if item["action"] == action}
        assert used >= {topic.name for topic in TOPICS if topic.events} - {"follow-ups"}


def test_the_settings_table_has_every_variable_once() -> None:
    text = settings.documents()[settings.FILE]
    for name in settings.variables():
        assert text.count(f"| `{name}` |") == 1


def test_the_generated_documents_are_fresh() -> None:
    assert stale(wanted()) == []
