"""The records of one call of a handler, sorted by what they are, with what is found out about them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.scorer.domain.answer_changes import is_fresh
from shared.amendments import Change
from shared.events.envelope import EventData, PlainData
from shared.events.files import RowVerdict
from shared.events.response_fast_reader import Recorded
from shared.events.responses import ResponseAmended, ResponseWithdrawn, StakeholderErased
from shared.verdicts import Received, Verdict

Changed = ResponseAmended | ResponseWithdrawn
Indexed = tuple[int, Recorded]
"""A response and the index of its record in a batch."""


class Batch:
    """The records of one call with their verdicts, the responses whose changes must be folded again, and the accounts
    that become dirty (account_id → whether events about the account may follow). `imports` and `rows` are about records
    that are made of rows of files, by index: their import, and what became of the row."""

    def __init__(self, records: Sequence[Received]) -> None:
        self.records = records
        self.verdicts: list[Verdict | None] = [None] * len(records)
        self.recorded: list[Indexed] = []
        self.changed: list[tuple[int, Changed]] = []
        self.erased: list[tuple[int, StakeholderErased]] = []
        self.imports: dict[int, UUID] = {}
        self.rows: dict[int, RowVerdict] = {}
        self.refold: set[str] = set()
        self.dirty: dict[str, bool] = {}
        self.affects_from: dict[str, datetime] = {}
        for index, record in enumerate(records):
            data: EventData | PlainData = record.event.data
            if isinstance(data, Recorded):
                self.recorded.append((index, data))
            elif isinstance(data, ResponseAmended | ResponseWithdrawn):
                self.changed.append((index, data))
            elif isinstance(data, StakeholderErased):
                self.erased.append((index, data))
            else:
                raise TypeError(f"not an event about responses: {record.event.name}")

    def mark_dirty(self, account_id: str, answered_at: datetime, recorded_at: datetime, quiet: bool) -> None:
        """An answer of the account is new or another; only a fresh one may lead to events about the account."""
        self.affects_from[account_id] = min(answered_at, self.affects_from.get(account_id, answered_at))
        if not self.dirty.get(account_id):
            self.dirty[account_id] = is_fresh(answered_at, recorded_at, quiet)

    def settled(self) -> list[Verdict]:
        """One verdict a record."""
        verdicts = [verdict for verdict in self.verdicts if verdict is not None]
        if len(verdicts) != len(self.verdicts):
            raise AssertionError("a record was left without a verdict")
        return verdicts


def change_of(data: Changed) -> Change:
    """The change that an event carries."""
    if isinstance(data, ResponseWithdrawn):
        return Change(data.event_id, "withdrawn", data.account_id, None, data.recorded_at)
    return Change(
        data.event_id,
        "amended",
        data.account_id,
        data.stakeholder_id,
        data.recorded_at,
        data.changes,
        data.survey_type,
        data.posted,
    )
