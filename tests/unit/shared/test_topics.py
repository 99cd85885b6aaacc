"""How long a record can stay in Kafka's log, by the settings of its topic."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.topics import DIRECTORY, RESPONSES, SCORE_EVENTS, TOPICS, Topic, gone_from

DELETE_RETENTION_MS = 86_400_000
"""Kafka's default of delete.retention.ms, for which a tombstone stays after the record that it deletes."""


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_record_is_said_to_stay_at_least_as_long_as_the_topic_keeps_a_segment(topic: Topic) -> None:
    config = topic.config()
    if topic.compacted:
        kept = int(config["max.compaction.lag.ms"]) + DELETE_RETENTION_MS
    else:
        kept = int(config["retention.ms"]) + int(config["segment.ms"])
    assert timedelta(milliseconds=kept) < topic.stays <= timedelta(milliseconds=kept) + timedelta(hours=1)


def test_the_topic_that_keeps_the_longest_decides() -> None:
    written = datetime(2026, 6, 1, tzinfo=UTC)
    assert gone_from((RESPONSES, SCORE_EVENTS, DIRECTORY), written) == datetime(2026, 6, 23, 1, tzinfo=UTC)
