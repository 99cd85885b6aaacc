"""What the accounts are worth and when they renew."""

from collections.abc import Mapping, Sequence

from services.scorer.domain.classes import AccountClass
from services.scorer.domain.questions import Filters
from services.scorer.domain.revenue import Customer
from services.scorer.store.reading.pool import conditions, parameters
from shared.db.transaction import ReadTx


async def customers(
    tx: ReadTx, filters: Filters, owner_email: str | None, classes: Mapping[str, AccountClass]
) -> Sequence[Customer]:
    """The accounts of the directory, without the removed ones, by id. Of the filters those on accounts count."""
    rows = await tx.rows(
        "select a.account_id, a.name, a.revenue_amount, a.revenue_currency, a.renewal_on from accounts a"
        f" where not a.removed{conditions(filters, owner_email, of=())}"
        ' order by a.account_id collate "C"',
        **parameters(filters, owner_email),
    )
    found = []
    for account_id, name, amount, currency, renewal_on in rows:
        found.append(Customer(account_id, name, amount, currency, renewal_on, classes[account_id]))
    return found
