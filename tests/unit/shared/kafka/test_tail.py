"""The tail skips records that no reader can use."""

from types import SimpleNamespace

import pytest

from shared.kafka.connection import KafkaConnection
from shared.kafka.tail import Tail
from shared.topics import RESPONSES
from tests.support.events import recorded

SOUND = recorded("r1")


@pytest.mark.parametrize("headers", [[("ce_id", b"\xff")], None, [("one", b"two", b"three")]])
def test_a_record_that_cannot_be_decoded_is_seen_without_an_event(headers: object) -> None:
    record = SimpleNamespace(topic="t.responses", partition=1, offset=7, value=SOUND.value(), headers=headers)
    seen = Tail(KafkaConnection("nowhere:9"), "t.", [RESPONSES])._seen(record)
    assert (seen.place, seen.offset, seen.event) == (("responses", 1), 7, None)


def test_a_sound_record_is_seen_with_its_event() -> None:
    record = SimpleNamespace(topic="t.responses", partition=1, offset=8, value=SOUND.value(), headers=SOUND.headers())
    seen = Tail(KafkaConnection("nowhere:9"), "t.", [RESPONSES])._seen(record)
    assert seen.event is not None
    assert seen.event.id == SOUND.id
