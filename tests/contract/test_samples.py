"""Records written by any version that is still on a topic are read by today's models."""

import json
from typing import Any

import pytest

from services.alerting.handlers.casework import SOURCE as from_alerting
from services.collector.handlers.responses import SOURCE as from_collector
from services.scorer.handlers.score_event_builder import SOURCE as from_scorer
from shared.errors import Poison
from shared.events.envelope import decode
from shared.topics import TOPICS, event_type
from tests.contract.samples import Sample, all_samples, models

each_sample = pytest.mark.parametrize("sample", [pytest.param(sample, id=sample.file) for sample in all_samples()])


def test_every_event_of_every_topic_has_a_model_and_a_sample() -> None:
    carried = {event_type(name) for topic in TOPICS for name in topic.events}
    assert models().keys() == carried
    assert {sample.type for sample in all_samples()} == carried


def test_services_name_themselves_as_their_samples_do() -> None:
    names = {"collector": from_collector, "scorer": from_scorer, "alerting": from_alerting}
    assert names == {service: f"/tellback/{service}" for service in names}
    assert {sample.headers["ce_source"] for sample in all_samples()} == set(names.values())


@pytest.mark.parametrize("of_type", sorted(models()))
def test_the_samples_of_a_type_show_all_its_fields(of_type: str) -> None:
    samples = [sample for sample in all_samples() if sample.type == of_type]
    shown = {path for sample in samples for path in paths(sample.value)}
    known = {path for sample in samples for path in paths(sample.decoded().data.model_dump(mode="json"))}
    assert known - shown == set()


def paths(value: Any, above: str = "") -> set[str]:
    """The name of each field, of those within objects and lists as well: `previous.score`."""
    if isinstance(value, list):
        return {path for item in value for path in paths(item, above)}
    if not isinstance(value, dict):
        return set()
    own = {name: f"{above}.{name}" if above else name for name in value}
    return set(own.values()) | {path for name, item in value.items() for path in paths(item, own[name])}


def has(whole: Any, part: Any) -> bool:
    """Whether all that `part` says is in `whole`, which may have more fields."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(name in whole and has(whole[name], item) for name, item in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and len(whole) == len(part) and all(map(has, whole, part))
    return bool(whole == part)


@each_sample
def test_a_sample_is_read_with_all_that_it_says(sample: Sample) -> None:
    event = sample.decoded()
    assert sample.file.startswith(event.type)
    assert str(event.id) == sample.headers["ce_id"]
    assert event.source == sample.headers["ce_source"]
    assert event.sender == sample.headers.get("ce_sender")
    assert event.account_id == sample.value["account_id"]
    assert has(event.data.model_dump(mode="json"), sample.value)


@each_sample
def test_what_is_read_can_be_written_and_read_again(sample: Sample) -> None:
    event = sample.decoded()
    again = decode(event.headers(), event.value())
    assert (again.id, again.type, again.source, again.time, again.sender) == (
        event.id,
        event.type,
        event.source,
        event.time,
        event.sender,
    )
    assert again.data == event.data


@each_sample
def test_a_field_of_the_future_is_ignored(sample: Sample) -> None:
    assert sample.decoded(field_of_the_future={"a": [1]}).data == sample.decoded().data


@each_sample
def test_an_unknown_major_version_is_poison(sample: Sample) -> None:
    headers = sample.raw_headers(ce_type=sample.type.rpartition(".")[0] + ".v999")
    with pytest.raises(Poison) as refused:
        decode(headers, json.dumps(sample.value).encode())
    assert refused.value.code == "unknown_type"


@each_sample
def test_a_value_without_a_required_field_is_poison(sample: Sample) -> None:
    required = next(name for name, field in models()[sample.type].model_fields.items() if field.is_required())
    value = {name: content for name, content in sample.value.items() if name != required}
    with pytest.raises(Poison) as refused:
        decode(sample.raw_headers(), json.dumps(value).encode())
    assert refused.value.code == "invalid_data"


PERSONAL = ("name", "email", "comment", "owner", "sponsor", "answers")


@pytest.mark.parametrize("topic", ["account-scores", "score-events", "follow-ups"])
def test_the_topics_of_figures_and_tasks_carry_no_names_and_no_comments(topic: str) -> None:
    carried = {event_type(name) for known in TOPICS if known.name == topic for name in known.events}
    personal = {
        (of_type, field) for of_type in carried for field in PERSONAL if field in models()[of_type].model_fields
    }
    assert personal == set()
