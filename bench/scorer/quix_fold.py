"""The fold in Quix Streams: state in RocksDB with a changelog, exactly once. It runs in an environment of its own.

`python quix_fold.py BOOTSTRAP USER PASSWORD FOLDER TOPIC RECORDS`
"""

import json
import sys
import tempfile
import time
from typing import Any

import msgspec  # type: ignore[import-not-found,unused-ignore]  # of the peer's own environment
from quixstreams import Application  # type: ignore[import-not-found,unused-ignore]
from quixstreams.kafka.configuration import ConnectionConfig  # type: ignore[import-not-found,unused-ignore]


def main(bootstrap: str, user: str, password: str, folder: str, topic: str, records: int) -> None:
    """Fold so many records and print the rate."""
    application = Application(
        broker_address=ConnectionConfig(
            bootstrap_servers=bootstrap,
            security_protocol="sasl_plaintext",
            sasl_mechanism="PLAIN",
            sasl_username=user,
            sasl_password=password,
        ),
        consumer_group=f"quix-{time.time_ns()}",
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        state_dir=tempfile.mkdtemp(dir=folder),
        loglevel="WARNING",
    )
    decode = msgspec.json.decode
    began: list[float] = []

    def fold(value: Any, state: Any) -> None:
        if not began:
            began.append(time.perf_counter())
        data = decode(value)
        seen = "id" + data["response_id"]
        if state.get(seen) is not None:
            return
        state.set(seen, 1)
        day = "day" + data["answered_at"][:10]
        counts = state.get(day) or [0, 0, 0]
        score = data["score"]
        if score >= 9:
            counts[0] += 1
        elif score >= 7:
            counts[1] += 1
        else:
            counts[2] += 1
        state.set(day, counts)
        person = "person" + data["stakeholder_id"]
        latest = state.get(person)
        if latest is None or latest[0] < data["answered_at"]:
            state.set(person, [data["answered_at"], score])

    source = application.topic(topic, value_deserializer="bytes", key_deserializer="str")
    application.dataframe(source).update(fold, stateful=True)
    application.run(count=records)
    print(json.dumps({"rate": records / (time.perf_counter() - began[0])}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5], int(sys.argv[6]))
