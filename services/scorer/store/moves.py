"""Answers and invitations whose person is another one since the directory says whose an id is: their rows follow.

Who writes these rows is never waited for. He makes the account dirty, so that the next projection moves the row.
"""

from collections.abc import Sequence
from typing import Final

from services.scorer.domain.projection import Moved
from shared.db.transaction import WriteTx, as_columns

MOST: Final = 20_000
"""Rows that one transaction moves: a statement has 10 s."""
MOVE_ANSWERS: Final = """
    with free as (
        select response_id from responses where response_id = any(cast(:responses as text[])) and not erased
        order by response_id for update skip locked
    ),
    moved as (
        update responses r set stakeholder_id = m.person, given_stakeholder_id = nullif(m.given, m.person)
        from unnest(cast(:responses as text[]), cast(:given as text[]), cast(:people as text[]))
            as m(response_id, given, person) join free using (response_id)
        where r.response_id = m.response_id returning r.response_id, r.stakeholder_id
    )
    update response_answers a set stakeholder_id = moved.stakeholder_id from moved
    where a.response_id = moved.response_id
"""
MOVE_INVITATIONS: Final = """
    with free as (
        select i.account_id, i.invitation_id, i.stakeholder_id, l.stakeholder_id as person
        from invitations i left join aliases l on l.account_id = i.account_id and l.alias_id = i.stakeholder_id
        where i.account_id = any(cast(:accounts as text[])) and i.person_id is distinct from l.stakeholder_id
        order by i.account_id, i.invitation_id, i.stakeholder_id for update of i skip locked
    )
    update invitations i set person_id = f.person from free f
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


async def move_invitations(tx: WriteTx, account_ids: Sequence[str]) -> None:
    """Give the invitations of these accounts to the people whose they are."""
    await tx.execute(MOVE_INVITATIONS, accounts=list(account_ids))
