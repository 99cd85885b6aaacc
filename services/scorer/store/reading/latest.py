"""The last answers of people as of now, from the pairs that the projector keeps instead of from all that was ever said.

One row a person, survey type and kind of NPS: a tenth of the answers or less. An account that is marked, or that has an
answer ahead of its time, is read from its answers.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.scorer.store.reading.freshness import DIRTY
from services.scorer.store.reading.pool import LIVE
from shared.db.transaction import ReadTx

_STALE_PAIRS: Final = f"""
    {DIRTY} union select account_id from latest_pairs where answered_at > :moment
"""
NAMES: Final = "account_id, stakeholder_id, survey_type, nps_kind, answered_at, response_id, score"


async def accounts_with_stale_pairs(tx: ReadTx, moment: datetime) -> Sequence[str]:
    """The accounts whose pairs are not their last answers up to the moment."""
    return await tx.column(_STALE_PAIRS, moment=moment)


def with_fresh_pairs(alias: str) -> str:
    """An SQL condition: the account of the row is none of those that `:stale_pairs` names."""
    return (
        "not exists (select from unnest(cast(:stale_pairs as text[])) as stale_pairs(account_id)"
        f" where stale_pairs.account_id = {alias}.account_id)"
    )


def last_answers(*, current: bool, only: str = "") -> str:
    """A row source with the columns `NAMES` that holds the last live answer up to `:as_of` of each person, whatever the
    survey, and their last one to each; maybe others, too. `only` restricts to some rows, by columns without an alias.

    Where `current`, the moment is now and `:stale_pairs` are the accounts that `accounts_with_stale_pairs` names.
    """
    if not current:
        return f"select {NAMES} from responses r where {LIVE} and answered_at <= :as_of{only}"
    return f"""
        select {NAMES} from latest_pairs p where {with_fresh_pairs("p")}{only}
        union all select {NAMES} from responses r where {LIVE} and answered_at <= :as_of
            and account_id = any(cast(:stale_pairs as text[])){only}
    """
