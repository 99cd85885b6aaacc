"""The journal of erased people, and what erasure does to the rows."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any, get_args

from services.scorer.store.feed import CHANGED
from shared.db.account_erasures import EVER
from shared.db.transaction import ReadTx, WriteTx
from shared.erasure import Names
from shared.events.directory import AccountRemoved
from shared.events.invitations import InvitationKind

# An answer is of the person whose id it was given with, whoever that id stood for when it was read last.
# The answers stay as rows that count nowhere, so that "new = rows stored" holds; nothing in them leads to the person.
_EMPTIED = f"""
    update responses set stakeholder_id = :subject, given_stakeholder_id = null, email = null, comment = null,
        attributes = '{{}}', base = null, sent = '{{}}', invitation_id = null, erased = true, revision = revision + 1,
        updated_at = :erased_at, {CHANGED}
"""
ERASE_RESPONSES = f"""{_EMPTIED}
    where account_id = :account_id and (stakeholder_id = any(cast(:ids as text[]))
        or given_stakeholder_id = any(cast(:ids as text[])))
        and coalesce(given_stakeholder_id, stakeholder_id) = any(cast(:ids as text[]))
        and least(recorded_at, answered_at) <= :erased_at
    returning response_id
"""
ERASE_RESPONSES_OF_ACCOUNT = f"""{_EMPTIED}
    where account_id = :account_id and not erased and least(recorded_at, answered_at) <= :erased_at
    returning response_id
"""
_THEIRS = " where account_id = :account_id and stakeholder_id = any(cast(:ids as text[]))"
_STEPS = ", ".join(f"{step}_at" for step in (*get_args(InvitationKind), "withdrawn"))
_FIRST: Mapping[str, str] = {
    "response_changes": "recorded_at",
    "invitations": f"least(recorded_at, {_STEPS})",
    "context_marks": "least(recorded_at, at)",
    "stakeholders": "recorded_at",
    "aliases": "recorded_at",
}
"""Since when a row of the table has said something of the person."""
ERASE_ELSEWHERE: Mapping[str, str] = {
    table: f"delete from {table}{_THEIRS} and {first} <= :erased_at" for table, first in _FIRST.items()
}

ROWS_OF_ACCOUNTS: Mapping[str, str] = {**_FIRST, "latest_pairs": EVER, "account_counts": EVER, "months_valid": EVER}
"""What goes with an account, and since when a row has said something of it. Its snapshot stays, until the projector
has made it anew of what is left, and so goes on counting what it publishes."""


async def any_yet(tx: ReadTx) -> bool:
    """Whether anybody has ever been erased here."""
    return bool(await tx.scalar("select exists (select 1 from erasures)"))


async def names_of(tx: ReadTx, account_id: str, ids: Sequence[str]) -> Names:
    """By what the person is called in the directory and in what they answered."""
    rows = await tx.rows(
        "select name, email from stakeholders where account_id = :account_id"
        " and stakeholder_id = any(cast(:ids as text[]))"
        " union select null, email from responses where account_id = :account_id"
        " and (stakeholder_id = any(cast(:ids as text[])) or given_stakeholder_id = any(cast(:ids as text[])))",
        account_id=account_id,
        ids=list(ids),
    )
    return Names((*ids, *chain.from_iterable(rows)), account_id)


async def redact(tx: WriteTx, account_id: str, names: Names) -> None:
    """Put `[erased]` for the names in what is said to have happened at the account."""
    rows = await tx.all(
        "select event_id, label from context_marks where account_id = :account_id"
        " and label ilike any(cast(:patterns as text[]))",
        account_id=account_id,
        patterns=names.patterns(),
    )
    await tx.execute_many(
        "update context_marks set label = :label where event_id = :event_id",
        [{"event_id": row["event_id"], "label": names.redacted(row["label"])} for row in rows],
    )


async def erase(tx: WriteTx, person: Mapping[str, Any], subject: str) -> tuple[list[str], dict[str, int]]:
    """Take a person (account_id, ids, erased_at) out of every row of until then; returns the ids of the responses and
    how many rows went elsewhere, by table."""
    response_ids = list(await tx.column(ERASE_RESPONSES, **person, subject=subject))
    await forget_changes(tx, response_ids)
    await tx.execute("delete from response_answers where response_id = any(cast(:ids as text[]))", ids=response_ids)
    elsewhere = {table: await tx.execute(statement, **person) for table, statement in ERASE_ELSEWHERE.items()}
    return response_ids, elsewhere


async def erase_answers_of(tx: WriteTx, account: AccountRemoved, subject: str) -> list[str]:
    """Take everybody at an account out of the answers of until its erasure; returns the ids of the responses."""
    response_ids = list(
        await tx.column(
            ERASE_RESPONSES_OF_ACCOUNT, account_id=account.account_id, erased_at=account.erased_at, subject=subject
        )
    )
    await forget_changes(tx, response_ids)
    await tx.execute("delete from response_answers where response_id = any(cast(:ids as text[]))", ids=response_ids)
    return response_ids


async def drop(tx: WriteTx, responses: Mapping[str, str]) -> None:
    """Note responses (response_id -> account_id) that an erasure overtook, and forget what was said about them."""
    if not responses:
        return
    await tx.execute(
        "insert into dropped_responses (response_id, account_id)"
        " select * from unnest(cast(:ids as text[]), cast(:accounts as text[])) on conflict do nothing",
        ids=list(responses),
        accounts=list(responses.values()),
    )
    await forget_changes(tx, responses)


async def dropped(tx: ReadTx, response_ids: Collection[str]) -> set[str]:
    """Those of the responses that were dropped."""
    if not response_ids:
        return set()
    found = await tx.column(
        "select response_id from dropped_responses where response_id = any(cast(:ids as text[]))",
        ids=list(response_ids),
    )
    return set(found)


async def forget_changes(tx: WriteTx, response_ids: Collection[str]) -> None:
    """Delete what was amended about responses that an erasure took."""
    await tx.execute(
        "delete from response_changes where response_id = any(cast(:ids as text[]))", ids=list(response_ids)
    )
