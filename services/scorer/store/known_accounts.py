"""Of which accounts the scorer knows anything, for what goes through all of them."""

from collections.abc import Sequence

from shared.db.transaction import ReadTx

_WITH_ACCOUNTS = ("responses", "invitations", "accounts", "stakeholders", "snapshots", "latest_pairs")
"""Whatever has rows of an account; an account may be in any of them alone."""


def _of_each(separator: str, template: str) -> str:
    """The template for each of these tables, in place of `{0}`."""
    return separator.join(template.format(table) for table in _WITH_ACCOUNTS)


async def accounts_after(tx: ReadTx, account_id: str, limit: int) -> Sequence[str]:
    """The next accounts, in the order of their ids."""
    each = _of_each(
        " union ", "(select distinct account_id from {0} where account_id > :after order by account_id limit :limit)"
    )
    return await tx.column(f"{each} order by account_id limit :limit", after=account_id, limit=limit)


async def count_accounts(tx: ReadTx) -> int:
    """How many accounts there are."""
    each = _of_each(" union ", "select account_id from {0}")
    return int(await tx.scalar(f"select count(*) from ({each}) as known"))


async def is_known(tx: ReadTx, account_id: str) -> bool:
    """Whether anything is known of the account."""
    each = _of_each(" or ", "exists (select 1 from {0} where account_id = :account_id)")
    return bool(await tx.scalar(f"select {each}", account_id=account_id))
