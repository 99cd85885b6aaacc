"""Answers and invitations whose person is another one since the directory says whose an id is: their rows follow.

Who writes these rows is never waited for. He makes the account dirty, so that the next projection moves the row.
"""

from collections.abc import Sequence
from typing import Final

from services.scorer.domain.projection import Moved
from services.scorer.domain.silence import Asked
from services.scorer.store.feed import CHANGED
from shared.db.transaction import WriteTx, as_columns

MOST: Final = 20_000
"""Rows that one statement moves: it has 10 s."""
MOVE_ANSWERS: Final = f"""
    with free as (
        select response_id from responses where response_id = any(cast(:responses as text[])) and not erased
        order by response_id for update skip locked
    ),
    moved as (
        update responses r set stakeholder_id = m.person, given_stakeholder_id = nullif(m.given, m.person),
            {CHANGED}
        from unnest(cast(:responses as text[]), cast(:given as text[]), cast(:people as text[]))
            as m(response_id, given, person) join free using (response_id)
        where r.response_id = m.response_id returning r.response_id, r.stakeholder_id
    )
    update response_answers a set stakeholder_id = moved.stakeholder_id from moved
    where a.response_id = moved.response_id
"""
MOVE_INVITATIONS: Final = """
    with theirs as (
        select * from unnest(cast(:accounts as text[]), cast(:invitations as text[]), cast(:given as text[]),
            cast(:people as text[])) as m(account_id, invitation_id, stakeholder_id, person)
    ),
    free as (
        select account_id, invitation_id, stakeholder_id, person
        from invitations i join theirs using (account_id, invitation_id, stakeholder_id)
        order by account_id, invitation_id, stakeholder_id for update of i skip locked
    )
    update invitations i set person_id = nullif(f.person, f.stakeholder_id) from free f
    where (i.account_id, i.invitation_id, i.stakeholder_id) = (f.account_id, f.invitation_id, f.stakeholder_id)
"""


async def move_answers(tx: WriteTx, moved: Sequence[Moved]) -> None:
    """Give answers to the people whose they are, as far as nobody is just writing to them."""
    ordered = sorted(moved)
    for start in range(0, len(ordered), MOST):
        rows = ordered[start : start + MOST]
        await tx.execute(
            MOVE_ANSWERS,
            **as_columns(
                {
                    "responses": move.response_id,
                    "given": move.given_stakeholder_id,
                    "people": move.after.stakeholder_id,
                }
                for move in rows
            ),
        )


async def move_invitations(tx: WriteTx, moved: Sequence[tuple[str, Asked]]) -> None:
    """Give invitations (account_id, invitation) to the people whose they are, as far as nobody is just writing to
    them."""
    if not moved:
        return
    await tx.execute(
        MOVE_INVITATIONS,
        **as_columns(
            {
                "accounts": account_id,
                "invitations": asked.invitation_id,
                "given": asked.given_stakeholder_id,
                "people": asked.stakeholder_id,
            }
            for account_id, asked in moved
        ),
    )
