"""Keys as the arrays that statements bind, for `in (select * from unnest(…))`."""

from collections.abc import Iterable


def answer_binds(keys: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The binds `accounts` and `responses` of (account, response), each pair once."""
    accounts, responses = [], []
    for account_id, response_id in sorted(set(keys)):
        accounts.append(account_id)
        responses.append(response_id)
    return {"accounts": accounts, "responses": responses}
