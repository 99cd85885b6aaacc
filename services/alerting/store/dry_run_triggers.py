"""The events that rules were evaluated on, kept to try changed rules on."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.dialects.postgresql import insert

from services.alerting.domain.dry_run import PastTrigger, Trigger
from services.alerting.store.binds import answer_binds
from services.alerting.tables.metadata import columns_of
from services.alerting.tables.rules import PAST_TRIGGERS
from shared.db.pieces import delete_piece
from shared.db.transaction import ReadTx, WriteTx

_COLUMNS = columns_of(PAST_TRIGGERS)
_UPSERT = insert(PAST_TRIGGERS)
_UPSERT = _UPSERT.on_conflict_do_update(
    index_elements=["event_id"], set_={name: _UPSERT.excluded[name] for name in ("facts", "follow_up_id")}
)


async def add_triggers(tx: WriteTx, past: Sequence[PastTrigger]) -> None:
    """Keep events with what they went into."""
    rows = [
        {
            "event_id": event.trigger.event_id,
            "event": event.trigger.event,
            "at": event.trigger.at,
            "account_id": event.trigger.account_id,
            "stakeholder_id": event.trigger.stakeholder_id,
            "response_id": event.trigger.response_id,
            "facts": dict(event.trigger.facts),
            "follow_up_id": event.follow_up_id,
        }
        for event in past
    ]
    await tx.execute_many(_UPSERT, rows)


async def triggers_between(
    tx: ReadTx, since: datetime, until: datetime, owner_email: str | None, limit: int
) -> list[PastTrigger]:
    """The events of a time, oldest first; those of an owner's accounts where the caller is limited to them."""
    rows = await tx.all(
        f"select {_COLUMNS} from past_triggers where at >= :since and at < :until"
        " and (cast(:owner_email as text) is null or account_id in"
        " (select account_id from accounts where owner_email = :owner_email))"
        " order by at, event_id limit :limit",
        since=since,
        until=until,
        owner_email=owner_email,
        limit=limit,
    )
    return [_past_trigger(row) for row in rows]


async def forget_triggers_of_answers(tx: WriteTx, answers: Sequence[tuple[str, str]]) -> None:
    """Delete the triggers of corrected answers: rules were evaluated on what is not so."""
    await tx.execute(
        "delete from past_triggers where (account_id, response_id) in"
        " (select * from unnest(cast(:accounts as text[]), cast(:responses as text[])))",
        **answer_binds(answers),
    )


async def forget_triggers_of_person(tx: WriteTx, account_id: str, stakeholder_id: str, until: datetime) -> None:
    """Drop what a person did up to `until`."""
    await tx.execute(
        "delete from past_triggers where account_id = :account_id and stakeholder_id = :stakeholder_id"
        " and at <= :until",
        account_id=account_id,
        stakeholder_id=stakeholder_id,
        until=until,
    )


async def purge_triggers(tx: WriteTx, before: datetime) -> int:
    """Delete a piece of what is older; returns how many."""
    return await delete_piece(tx, "past_triggers", "at < :before", "at", before=before)


def _past_trigger(row: RowMapping) -> PastTrigger:
    event_id: UUID = row["event_id"]
    trigger = Trigger(
        event_id,
        row["event"],
        row["at"],
        row["account_id"],
        row["stakeholder_id"],
        row["response_id"],
        row["facts"],
    )
    return PastTrigger(trigger, row["follow_up_id"])
