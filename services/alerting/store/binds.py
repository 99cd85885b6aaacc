"""Keys as the arrays that statements bind, for `in (select * from unnest(…))`."""

from collections.abc import Iterable


def people_binds(people: Iterable[tuple[str, str | None]]) -> dict[str, list[str]]:
    """The binds `accounts` and `people` of (account, stakeholder), each pair once; an empty person is the account
    itself.
    """
    accounts, persons = [], []
    for account_id, stakeholder_id in sorted({(account_id, person or "") for account_id, person in people}):
        accounts.append(account_id)
        persons.append(stakeholder_id)
    return {"accounts": accounts, "people": persons}


def answer_binds(keys: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The binds `accounts` and `responses` of (account, response), each pair once."""
    accounts, responses = [], []
    for account_id, response_id in sorted(set(keys)):
        accounts.append(account_id)
        responses.append(response_id)
    return {"accounts": accounts, "responses": responses}
