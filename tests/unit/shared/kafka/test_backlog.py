"""The order in which a failing batch is written in pieces, without Kafka or PostgreSQL."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.db.cursors import Cursor
from shared.kafka.backlog import Backlog
from shared.kafka.batch import PolledBatch


def batch(partition: int, records: list[Any]) -> PolledBatch:
    return PolledBatch(Cursor("responses", partition, 0, 1), records)


def records_of(piece: list[PolledBatch]) -> list[list[Any]]:
    return [list(part.records) for part in piece]


def test_all_partitions_are_one_piece_until_it_fails() -> None:
    backlog = Backlog([batch(0, [1, 2]), batch(1, [3])])
    piece = backlog.piece()
    assert records_of(piece) == [[1, 2], [3]]
    assert backlog.narrow(piece)
    assert records_of(backlog.piece()) == [[1, 2]]


def test_a_partition_that_waits_lets_the_others_go_first() -> None:
    backlog = Backlog([batch(0, [1]), batch(1, [2, 3])])
    backlog.narrow(backlog.piece())
    first = backlog.piece()
    assert not backlog.narrow(first)
    assert backlog.again(first, [30.0])
    assert backlog.wait() == 0
    assert records_of(backlog.piece()) == [[2, 3]]
    backlog.done(backlog.piece())
    assert 29 < backlog.wait() <= 30
    assert not backlog.again(backlog.piece(), [30.0])


def test_what_went_to_another_replica_is_dropped() -> None:
    backlog = Backlog([batch(0, [1]), batch(1, [2])])
    backlog.drop([("responses", 0)])
    assert [cursor.place for cursor in backlog.cursors] == [("responses", 1)]
    assert records_of(backlog.piece()) == [[2]]


def test_others_are_spread_over_all_that_is_at_hand() -> None:
    backlog = Backlog([batch(0, list(range(100))), batch(1, [100])])
    while backlog.narrow(backlog.piece()):
        pass
    others = [record for [record] in records_of(backlog.others(backlog.piece(), 4))]
    assert others == [100, 75, 50, 25]


@given(bad=st.sets(st.integers(0, 199)), split=st.integers(0, 200))
def test_every_good_record_is_written_once_and_in_order(bad: set[int], split: int) -> None:
    parts = [list(range(split)), list(range(split, 200))]
    backlog = Backlog(batch(number, part) for number, part in enumerate(parts) if part)
    written: list[int] = []
    aside: list[int] = []
    while backlog:
        piece = backlog.piece()
        records: list[Any] = [record for part in piece for record in part.records]
        if not bad.intersection(records):
            written += records
            backlog.done(piece)
        elif not backlog.narrow(piece):
            aside += records
            backlog.done(piece)
    assert sorted(aside) == sorted(bad)
    for part in parts:
        assert [record for record in written if record in part] == [record for record in part if record not in bad]
