"""librdkafka from Python with no HTTP: how many of the collector's records a second it can produce, acks=all and
idempotent. Prints one number."""

import sys
import time

from confluent_kafka import Producer  # installed by whoever wants this peer

from shared.events.envelope import headers_of
from shared.ids import uuid7s

VALUE = b'{"response_id":"b-1-1","account_id":"account-00001","stakeholder_id":"p-1","comment":"%s"}' % (b"x" * 480)


def main(servers: str, user: str, password: str, prefix: str, seconds: float) -> float:
    """Records a second, all of them acknowledged."""
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": user,
            "sasl.password": password,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    keys = [b"account-%05d" % number for number in range(10_000)]
    event_id = uuid7s(1)[0]
    topic = f"{prefix}responses"
    made = headers_of(event_id, "com.tellback.response.recorded.v1", "/tellback/collector", "2026-06-01T12:00:00Z")
    headers: list[tuple[str, str | bytes | None]] = [*made]
    began, count = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        for key in keys:
            producer.produce(topic, VALUE, key, headers=headers)
        count += len(keys)
        producer.poll(0)
        while len(producer) > 100_000:
            producer.poll(0.01)
    producer.flush()
    return count / (time.monotonic() - began)


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], float(sys.argv[5]))}\n")
