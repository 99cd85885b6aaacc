"""Pieces of SQL made of the names of columns."""

from collections.abc import Iterable, Mapping
from typing import Any

BOUND_PEOPLE = "(select * from unnest(cast(:accounts as text[]), cast(:people as text[])))"
"""The people of `people_binds`, as in `where (account_id, stakeholder_id) in {BOUND_PEOPLE}`."""


def people_binds(people: Iterable[tuple[str, str | None]]) -> dict[str, list[str]]:
    """The binds `accounts` and `people` of (account, stakeholder), each pair once and in order; an empty person is the
    account itself."""
    accounts, persons = [], []
    for account_id, stakeholder_id in sorted({(account_id, person or "") for account_id, person in people}):
        accounts.append(account_id)
        persons.append(stakeholder_id)
    return {"accounts": accounts, "people": persons}


def comma_list(template: str, names: Iterable[str]) -> str:
    """The template with each of the names in place of `{0}`, by commas: `r.{0}` makes `r.score, r.comment`."""
    return ", ".join(template.format(name) for name in names)


def arrays(types: Mapping[str, str]) -> str:
    """The arguments of an `unnest` with one bind for each column, given with its type: `{"score": "int"}` makes
    `cast(:score as int[])`. `as_columns` of `shared.db.transaction` makes the values of the binds."""
    return ", ".join(f"cast(:{name} as {kind}[])" for name, kind in types.items())


def and_given(conditions: Mapping[str, Any]) -> str:
    """The conditions (text → the value that it needs) whose value is given, each after ` and`."""
    return "".join(f" and {condition}" for condition, value in conditions.items() if value is not None)
