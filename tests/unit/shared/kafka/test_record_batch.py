"""Batches in Kafka's format: as aiokafka reads them, and as we read them back."""

from typing import Any

import pytest
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.headers import pack, unpack
from shared.kafka.record_batch import BATCH_BYTES, RecordBatch
from shared.records import Record
from shared.topics import RESPONSES

HEADERS = st.lists(st.tuples(st.text(max_size=70), st.binary(max_size=70)), max_size=3)
RECORDS = st.lists(
    st.builds(
        lambda account_id, value, headers: Record.raw(RESPONSES, account_id, account_id.encode(), value, headers),
        st.text(max_size=200),
        st.none() | st.binary(max_size=9_000),
        HEADERS,
    ),
    min_size=1,
)


def batch_of(records: list[Record]) -> RecordBatch:
    """A batch of all records, added in two lots as by two callers."""
    batch = RecordBatch(RESPONSES)
    assert batch.add(records[:1]) + batch.add(records, 1) == len(records)
    return batch


def read_by_aiokafka(batch: RecordBatch) -> tuple[Any, list[Any]]:
    """The single batch in the bytes, after a check of its checksum, and its records."""
    found = MemoryRecords(bytes(batch._build())).next_batch()
    assert found.validate_crc()
    return found, list(found)


@given(RECORDS)
def test_aiokafka_reads_what_was_added(records: list[Record]) -> None:
    batch = batch_of(records)
    batch._set_producer_state(77, 3, 11)
    found, read = read_by_aiokafka(batch)
    assert (found.producer_id, found.producer_epoch, found.base_sequence) == (77, 3, 11)
    assert (found.base_offset, found.next_offset, found.is_transactional) == (0, len(records), False)
    assert [record.offset for record in read] == list(range(len(records)))
    assert [(record.key, record.value, record.headers) for record in read] == [
        (record.key, record.value, unpack(record.headers)) for record in records
    ]
    assert {record.timestamp for record in read} == {found.first_timestamp}


@given(RECORDS)
def test_the_records_are_read_back_before_and_after_the_batch_is_built(records: list[Record]) -> None:
    batch = batch_of(records)
    assert list(batch.records()) == records
    built = batch._build()
    assert list(batch.records()) == records
    assert batch._build() is built
    assert batch.record_count() == len(records)


@given(HEADERS)
def test_headers_are_unpacked_as_they_were(headers: list[tuple[str, bytes]]) -> None:
    assert unpack(pack(headers)) == headers


def test_a_batch_takes_no_more_than_fits() -> None:
    batch = RecordBatch(RESPONSES)
    records = [Record.raw(RESPONSES, "key", b"key", b"x" * 1_000)] * 300
    taken = batch.add(records)
    assert (0 < taken < 300, batch.closed(), batch.add(records, taken)) == (True, True, 0)
    built = len(batch._build())
    assert BATCH_BYTES - 1_100 < built <= BATCH_BYTES


@pytest.mark.parametrize("size", [BATCH_BYTES, 1_000_000])
def test_one_record_that_is_larger_goes_alone(size: int) -> None:
    batch = RecordBatch(RESPONSES)
    record = Record.raw(RESPONSES, "key", b"key", b"x" * size)
    assert batch.add([record, record]) == 1
    assert list(batch.records()) == [record]
