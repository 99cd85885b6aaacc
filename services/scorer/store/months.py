"""Which accounts the counts of months that have ended are kept of.

The rows of an account hold while `months_valid` says so and `affects_from` of a dirty account does not reach back to
them: it says from which moment on figures may be others, and the projector lets go of the months that it reaches. Until
then readers count such accounts from their answers. What happens now changes no month that has ended, and disturbs no
trend.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.scorer.domain.months import KEPT_WINDOWS, closed_months
from shared.db.transaction import ReadTx, WriteTx

MOST_LACKING: Final = 2_000
"""With more accounts lacking than these, counting everything is quicker than counting them beside the kept rows."""
_GRACE: Final = timedelta(days=1)
"""When a month has just ended, another replica's clock may not say so yet: it still reads the oldest one."""
_LACKING: Final = """
    from snapshots s left join months_valid v on v.account_id = s.account_id where (v.upto is null or v.upto < :upto)
    and not exists (select from dirty_accounts d where d.account_id = s.account_id and d.affects_from <= :upto)
"""
_DUE: Final = f"""
    select s.account_id {_LACKING} and s.account_id <> all(cast(:passed_over as text[]))
    order by v.upto nulls first, s.account_id limit :accounts
"""
_HOLD: Final = f"""
    select s.account_id {_LACKING} and s.account_id = any(cast(:account_ids as text[]))
    order by s.account_id for no key update of s skip locked
"""
_NOT_KEPT: Final = """
    select account_id from dirty_accounts where affects_from <= :upto
    union select s.account_id from snapshots s where not exists (
        select from months_valid v where v.account_id = s.account_id and v.upto >= :upto
    ) limit :most
"""
_FORGET: Final = """
    delete from months_valid v using dirty_accounts d
    where d.account_id = any(cast(:accounts as text[])) and v.account_id = d.account_id and d.affects_from <= v.upto
"""
_CLEAR: Final = """
    delete from account_counts_months where score_window = any(cast(:windows as text[])) and moment < :oldest
    and account_id = any(cast(:account_ids as text[]))
"""
_SAY: Final = """
    insert into months_valid (account_id, upto)
    select account_id, :upto from unnest(cast(:account_ids as text[])) as t(account_id)
    on conflict (account_id) do update set upto = excluded.upto
"""
_UPTO: Final = "select account_id, upto from months_valid where account_id = any(cast(:account_ids as text[]))"


async def not_kept(tx: ReadTx, upto: datetime) -> list[str] | None:
    """The accounts whose rows up to the moment are not there or do not hold; None where they are too many."""
    account_ids = await tx.column(_NOT_KEPT, upto=upto, most=MOST_LACKING + 1)
    if len(account_ids) > MOST_LACKING:
        return None
    return list(account_ids)


async def forget(tx: WriteTx, account_ids: Sequence[str]) -> None:
    """Let go of the rows that `affects_from` of these dirty accounts reaches back to. To be called before they are
    deleted there and after the snapshots were written: whoever is just counting one of these months holds the
    snapshot's row."""
    await tx.execute(_FORGET, accounts=list(account_ids))


async def due(tx: ReadTx, now: datetime, accounts: int, passed_over: Sequence[str] = ()) -> Sequence[str]:
    """Up to so many accounts, but for some, of which months are missing and whose past nothing waits to change."""
    return await tx.column(_DUE, upto=closed_months(now)[-1], accounts=accounts, passed_over=list(passed_over))


async def hold(tx: WriteTx, now: datetime, account_ids: Sequence[str]) -> Sequence[str]:
    """Lock the snapshots of those of the accounts that are still due, so that a projector which finds something late
    comes after and lets go again."""
    return await tx.column(_HOLD, upto=closed_months(now)[-1], account_ids=list(account_ids))


async def valid_upto(tx: ReadTx, account_ids: Sequence[str]) -> Mapping[str, datetime]:
    """account_id → up to which moment its rows say what is true, where they do."""
    return {row["account_id"]: row["upto"] for row in await tx.all(_UPTO, account_ids=list(account_ids))}


async def say_valid(tx: WriteTx, now: datetime, account_ids: Sequence[str]) -> None:
    """The rows of these accounts hold; those of months that nobody asks for any more go."""
    windows = [window.name for window in KEPT_WINDOWS]
    await tx.execute(_CLEAR, windows=windows, account_ids=list(account_ids), oldest=closed_months(now - _GRACE)[0])
    await tx.execute(_SAY, account_ids=list(account_ids), upto=closed_months(now)[-1])
