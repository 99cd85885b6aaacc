"""The last answers of people as of now, from the pairs that the projector keeps instead of from all that was ever said.

One row a person, survey type and kind of NPS: a tenth of the answers or less. An account that is marked, or that has an
answer ahead of its time, is read from its answers.
"""

from datetime import datetime
from typing import Final

from services.scorer.store.reading.pool import LIVE
from shared.db.transaction import ReadTx

_UNTOLD: Final = """
    select account_id from marks union select account_id from latest_pairs where answered_at > :moment
"""
NAMES: Final = "account_id, stakeholder_id, survey_type, nps_kind, answered_at, response_id, score"


async def untold_accounts(tx: ReadTx, moment: datetime) -> list[str]:
    """The accounts whose pairs are not their last answers up to the moment."""
    return [row["account_id"] for row in await tx.all(_UNTOLD, moment=moment)]


def told(alias: str) -> str:
    """An SQL condition: the account of the row is none of those that `:untold` names."""
    return (
        "not exists (select from unnest(cast(:untold as text[])) as untold(account_id)"
        f" where untold.account_id = {alias}.account_id)"
    )


def last_answers(*, current: bool, only: str = "") -> str:
    """A row source with the columns `NAMES` that holds the last live answer up to `:as_of` of each person, whatever the
    survey, and their last one to each; maybe others, too. `only` restricts to some rows, by columns without an alias.

    Where `current`, the moment is now and `:untold` are the accounts that `untold_accounts` names.
    """
    if not current:
        return f"select {NAMES} from responses r where {LIVE} and answered_at <= :as_of{only}"
    return f"""
        select {NAMES} from latest_pairs p where {told("p")}{only}
        union all select {NAMES} from responses r where {LIVE} and answered_at <= :as_of
            and account_id = any(cast(:untold as text[])){only}
    """
