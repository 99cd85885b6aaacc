"""Batches as Kafka's own bytes: what aiokafka reads in them, and what we read back."""

from typing import Any

import pytest
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.record_batch import BATCH_BYTES, Raw, RecordBatch, packed, unpacked

HEADERS = st.lists(st.tuples(st.text(max_size=70), st.binary(max_size=70)), max_size=3)
RAWS = st.lists(
    st.tuples(st.binary(max_size=200), st.none() | st.binary(max_size=9_000), HEADERS.map(packed)), min_size=1
)


def batch_of(raws: list[Raw]) -> RecordBatch:
    """A batch of them all, which come in two lots as from two callers."""
    batch = RecordBatch()
    assert batch.add(raws[:1]) + batch.add(raws, 1) == len(raws)
    return batch


def read_by_aiokafka(batch: RecordBatch) -> tuple[Any, list[Any]]:
    """The one batch in the bytes, whose checksum holds, and its records."""
    found = MemoryRecords(bytes(batch._build())).next_batch()
    assert found.validate_crc()
    return found, list(found)


@given(RAWS)
def test_aiokafka_reads_what_was_added(raws: list[Raw]) -> None:
    batch = batch_of(raws)
    batch._set_producer_state(77, 3, 11)
    found, records = read_by_aiokafka(batch)
    assert (found.producer_id, found.producer_epoch, found.base_sequence) == (77, 3, 11)
    assert (found.base_offset, found.next_offset, found.is_transactional) == (0, len(raws), False)
    assert [record.offset for record in records] == list(range(len(raws)))
    assert [(one.key, one.value, one.headers) for one in records] == [(k, v, unpacked(h)) for k, v, h in raws]
    assert {one.timestamp for one in records} == {found.first_timestamp}


@given(RAWS)
def test_the_records_are_read_back_before_and_after_the_batch_is_built(raws: list[Raw]) -> None:
    batch = batch_of(raws)
    assert list(batch.records()) == raws
    built = batch._build()
    assert list(batch.records()) == raws
    assert batch._build() is built
    assert batch.record_count() == len(raws)


@given(HEADERS)
def test_headers_are_unpacked_as_they_were(headers: list[tuple[str, bytes]]) -> None:
    assert unpacked(packed(headers)) == headers


def test_a_batch_takes_no_more_than_fits() -> None:
    batch = RecordBatch()
    raws = [(b"key", b"x" * 1_000, packed([]))] * 300
    taken = batch.add(raws)
    assert (0 < taken < 300, batch.closed(), batch.add(raws, taken)) == (True, True, 0)
    built = len(batch._build())
    assert BATCH_BYTES - 1_100 < built <= BATCH_BYTES


@pytest.mark.parametrize("size", [BATCH_BYTES, 1_000_000])
def test_one_record_that_is_larger_goes_alone(size: int) -> None:
    batch = RecordBatch()
    raw = (b"key", b"x" * size, packed([]))
    assert batch.add([raw, raw]) == 1
    assert list(batch.records()) == [raw]
