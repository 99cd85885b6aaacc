"""Each service says the same things about itself, in the same words: what it reads, emits, serves and owns."""

from importlib import import_module

import pytest

from shared.topics import TOPICS, Topic
from tests.architecture.tree import ROOT

SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/app.py"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_says_what_it_reads_emits_serves_and_owns(name: str) -> None:
    service = import_module(f"services.{name}")
    assert service.__doc__
    for topics in (service.READS, service.EMITS):
        assert isinstance(topics, tuple)
        assert [topic for topic in topics if topic not in TOPICS] == []
    for words in (service.SERVES, service.OWNS):
        assert isinstance(words, str)


def test_every_topic_with_events_is_emitted_by_one_service() -> None:
    emitted = [topic.name for name in SERVICES for topic in import_module(f"services.{name}").EMITS]
    assert sorted(emitted) == sorted(topic.name for topic in TOPICS if topic.events)


@pytest.mark.parametrize("name", SERVICES)
def test_the_flow_table_of_the_readme_says_what_the_service_says(name: str) -> None:
    service = import_module(f"services.{name}")
    row = f"| {name} | {_named(service.READS)} | {_named(service.EMITS)} |"
    assert row in (ROOT / "README.md").read_text()


def _named(topics: tuple[Topic, ...]) -> str:
    return ", ".join(topic.name for topic in topics) or "–"
