"""Follow-ups whose person is another one since the directory says whose an id is."""

from collections.abc import Collection
from typing import Final

from services.alerting.domain.people import PersonKey
from services.alerting.domain.tasks import Task
from services.alerting.store.tasks import SELECT_TASKS, task_of
from shared.db.sql import BOUND_PEOPLE, people_binds
from shared.db.transaction import ReadTx, WriteTx

_THEIRS: Final = f"from aliases a where (a.account_id, a.stakeholder_id) in {BOUND_PEOPLE}"
_WITHOUT_A_PERSON: Final = f"""
    select a.account_id, a.alias_id {_THEIRS}
    union select account_id, stakeholder_id from stakeholders
    where removed and (account_id, stakeholder_id) in {BOUND_PEOPLE}
"""
OPEN_TASKS: Final = f"""
    {SELECT_TASKS} t where state <> 'closed' and ((account_id, stakeholder_id) in (select a.account_id, a.alias_id
        {_THEIRS}) or (account_id, stakeholder_id) in {BOUND_PEOPLE})
    order by opened_at, follow_up_id
"""
MOVE_CLOSED: Final = (
    f"update tasks t set stakeholder_id = a.stakeholder_id {_THEIRS} and t.state = 'closed'"
    " and t.account_id = a.account_id and t.stakeholder_id = a.alias_id"
)
_REST: Final = "account_id, role, event, response_id, at, facts, matches, holds, settled"


def _move_occasions(which: str, stakeholder_id: str, occasion: str) -> str:
    """The statement that gives occasions another key. Those that meet under one key become one, which is settled where
    any of them is."""
    return f"""
        with moved as (
            delete from task_occasions o using aliases a
            where (a.account_id, a.stakeholder_id) in {BOUND_PEOPLE} and o.account_id = a.account_id and {which}
            returning o.*, {stakeholder_id} as new_stakeholder_id, {occasion} as new_occasion
        )
        insert into task_occasions as o (follow_up_id, kind, stakeholder_id, occasion, {_REST})
        select distinct on (follow_up_id, kind, new_stakeholder_id, new_occasion)
            follow_up_id, kind, new_stakeholder_id, new_occasion, {_REST}
        from moved order by follow_up_id, kind, new_stakeholder_id, new_occasion, settled desc, holds desc
        on conflict (follow_up_id, kind, stakeholder_id, occasion) do update
            set settled = o.settled or excluded.settled, holds = o.holds or excluded.holds
    """


# What has been settled stays so, and what stands for a person in the name of an occasion as well.
MOVE_OCCASIONS: Final = (
    _move_occasions("o.stakeholder_id = a.alias_id", "a.stakeholder_id", "o.occasion"),
    _move_occasions(
        "o.stakeholder_id = '' and starts_with(o.occasion, a.alias_id || '/')",
        "o.stakeholder_id",
        "a.stakeholder_id || substr(o.occasion, length(a.alias_id) + 1)",
    ),
)
MOVE_TRIGGERS: Final = (
    f"update past_triggers t set stakeholder_id = a.stakeholder_id {_THEIRS} and t.account_id = a.account_id"
    " and t.stakeholder_id = a.alias_id"
)


async def ids_without_a_person(tx: ReadTx, people: Collection[PersonKey]) -> set[PersonKey]:
    """The ids under which nobody stands by themselves: the further ids of these people, and those of them who were
    removed."""
    if not people:
        return set()
    return {(account_id, its_id) for account_id, its_id in await tx.rows(_WITHOUT_A_PERSON, **people_binds(people))}


async def open_tasks_by_any_id(tx: ReadTx, people: Collection[PersonKey]) -> list[Task]:
    """The tasks that are not closed of these people, by any of their ids, the one opened first first."""
    return [task_of(row) for row in await tx.all(OPEN_TASKS, **people_binds(people))]


async def move_the_past(tx: WriteTx, people: Collection[PersonKey]) -> None:
    """Give closed tasks, and what tasks rest on, to the people whose further ids they stand under."""
    for statement in (MOVE_CLOSED, *MOVE_OCCASIONS, MOVE_TRIGGERS):
        await tx.execute(statement, **people_binds(people))
