"""Records to be published, and the errors of publishing."""

from collections.abc import Sequence

from msgspec import Struct

from shared.errors import TooLarge, Unavailable
from shared.events.envelope import Event
from shared.kafka.headers import pack
from shared.topics import Topic

# Overhead of a record in a batch of its own: batch header, lengths, attributes.
_OVERHEAD = 128
_SURELY_FITS = 512_000
"""Values below this size fit every topic, with any key and headers."""


class Record(Struct, frozen=True, gc=False):
    """One record to publish: the account decides the partition, unless `partition` is set. `headers` are encoded as in
    Kafka's record format (`shared.kafka.headers`). A struct, since one is made for every response of the fast lane."""

    topic: Topic
    account_id: str
    key: bytes
    value: bytes | None
    headers: bytes
    partition: int | None = None

    @classmethod
    def of(cls, topic: Topic, event: Event) -> "Record":
        """The record that carries an event."""
        return cls(topic, event.account_id, event.record_key.encode(), event.value(), pack(event.headers()))

    @classmethod
    def raw(
        cls,
        topic: Topic,
        account_id: str,
        key: bytes,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> "Record":
        """A record of any content, without an event."""
        return cls(topic, account_id, key, value, pack(headers), partition)

    def size(self) -> int:
        """Upper bound of the record's size in a batch of its own."""
        return len(self.key) + len(self.value or b"") + len(self.headers) + _OVERHEAD

    def check_size(self) -> None:
        """Raises `TooLarge` for a record that the topic would refuse, before it is sent."""
        if len(self.value or b"") < _SURELY_FITS:
            return
        if self.size() > self.topic.max_message_bytes:
            raise TooLarge("event_too_large", "the event is larger than its topic takes")


class KafkaUnavailable(Unavailable):
    """Kafka did not acknowledge in time, or the circuit breaker is open. The record may be stored nevertheless: sending
    it again under its id is idempotent."""

    def __init__(self) -> None:
        super().__init__("kafka_unavailable", "Kafka is not reachable", retry_after=5)


class RecordRefused(Unavailable):
    """Kafka is reachable and refuses this record: too large, against the rules of its topic, or not encodable. Sending
    it unchanged again helps only if the topic is changed."""

    def __init__(self) -> None:
        super().__init__("record_refused", "Kafka refused the record", retry_after=5)
