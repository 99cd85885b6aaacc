"""Kafka's error codes: whether the record is at fault, or the server and the connection."""

import pytest
from aiokafka.errors import for_code

from shared.kafka.receipts import told

OF_THE_RECORD = {"corrupt": 2, "too large": 10, "batch too large": 18, "bad timestamp": 32, "against the rules": 87}
OF_THE_SERVER = {"unknown server error": -1, "not leader": 6, "too few replicas": 19, "no right to the topic": 29}


@pytest.mark.parametrize("code", OF_THE_RECORD.values(), ids=OF_THE_RECORD)
def test_the_record_is_refused(code: int) -> None:
    assert told(for_code(code)()).code == "record_refused"


@pytest.mark.parametrize("code", OF_THE_SERVER.values(), ids=OF_THE_SERVER)
def test_the_trouble_is_waited_out(code: int) -> None:
    assert told(for_code(code)()).code == "kafka_unavailable"
