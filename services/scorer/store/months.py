"""Figures at the ends of months, an account, window and method at a time: kept once they were counted, and counted anew
when something of those months came late, was amended, withdrawn or erased.

The rows of an account hold while `months_told` says so and no mark reaches back to them: a mark says from which moment
on it changes things, and the projector, when it takes the mark, lets go of what it reaches. Until then readers count
such accounts from their answers. What happens now changes no month that has ended, and disturbs no trend.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from services.scorer.domain.answers import ACCOUNT_METHODS, Method
from services.scorer.domain.months import closed_months
from services.scorer.domain.questions import Filters
from services.scorer.domain.windows import Window
from services.scorer.store.reading.coverage import asked_sql, known_sql
from services.scorer.store.reading.grouped import Question
from services.scorer.store.reading.grouped_sql import latest_voices, voices
from services.scorer.store.reading.pool import net
from services.scorer.store.sums import BEFORE, NOW, REACH
from shared.db.transaction import ReadTx, WriteTx

MOST_UNTOLD: Final = 2_000
"""With more accounts untold than these, counting everything is quicker than counting them beside the sums."""
_GRACE: Final = timedelta(days=1)
"""When a month has just ended, another replica's clock may not say so yet: it still reads the oldest one."""
_LACKING: Final = """
    from snapshots s left join months_told t on t.account_id = s.account_id and t.score_window = :window
    where (t.upto is null or t.upto < :upto)
    and not exists (select from marks m where m.account_id = s.account_id and m.since <= :upto)
"""
_DUE: Final = f"""
    select s.account_id {_LACKING} and s.account_id <> all(cast(:passed_over as text[]))
    order by t.upto nulls first, s.account_id limit :accounts
"""
_HOLD: Final = f"""
    select s.account_id {_LACKING} and s.account_id = any(cast(:account_ids as text[]))
    order by s.account_id for no key update of s skip locked
"""
_UNTOLD: Final = """
    select account_id from marks where since <= :upto union select s.account_id from snapshots s where not exists (
        select from months_told t
        where t.score_window = :window and t.account_id = s.account_id and t.upto >= :upto
    ) limit :most
"""
_FORGET: Final = """
    delete from months_told t using marks m
    where m.account_id = any(cast(:accounts as text[])) and t.account_id = m.account_id and m.since <= t.upto
"""
_CLEAR: Final = """
    delete from month_sums where score_window = :window and account_id = any(cast(:account_ids as text[]))
    and (moment < :oldest or moment = any(cast(:uptos as timestamptz[])))
"""
_TELL: Final = """
    insert into months_told (account_id, score_window, upto)
    select account_id, :window, :last from unnest(cast(:account_ids as text[])) as t(account_id)
    on conflict (account_id, score_window) do update set upto = excluded.upto
"""
_TOLD: Final = """
    select account_id, upto from months_told
    where score_window = :window and account_id = any(cast(:account_ids as text[]))
"""
_MOMENTS: Final = ("last_at", "last_before")
_NUMBERS: Final = (
    *("n", "total", "voices", "n_before", "total_before", "voices_before", *NOW, *BEFORE),
    *("pairs", "pairs_sum", "pairs_squares", "known", *REACH),
)
_COLUMNS: Final = ("score_window", "method", "account_id", "moment", *_MOMENTS, *_NUMBERS)
_STORED: Final = f"""
    select {", ".join(_COLUMNS)} from month_sums where score_window = :window and method = :by
    and account_id = any(cast(:account_ids as text[]))
"""


async def untold(tx: ReadTx, window: Window, upto: datetime) -> list[str] | None:
    """The accounts whose rows up to the moment are not there or do not hold; None where they are too many."""
    rows = await tx.column(_UNTOLD, window=window.name, upto=upto, most=MOST_UNTOLD + 1)
    return list(rows) if len(rows) <= MOST_UNTOLD else None


async def forget(tx: WriteTx, account_ids: Sequence[str]) -> None:
    """Let go of the rows that the marks of these accounts reach back to. To be called with the marks still there and
    after the snapshots were written: whoever is just counting one of these months holds the snapshot's row."""
    await tx.execute(_FORGET, accounts=list(account_ids))


async def due(
    tx: ReadTx, window: Window, now: datetime, accounts: int, passed_over: Sequence[str] = ()
) -> Sequence[str]:
    """Up to so many accounts, but for some, of which months are missing and whose past nothing waits to change."""
    upto = closed_months(now)[-1]
    return await tx.column(_DUE, window=window.name, upto=upto, accounts=accounts, passed_over=list(passed_over))


async def keep(tx: WriteTx, window: Window, now: datetime, account_ids: Sequence[str]) -> int:
    """Count the months that are missing of those of the accounts whose past nothing waits to change; returns of how
    many.

    Their snapshots stay locked meanwhile, so that a projector which finds something late comes after and lets go again.
    """
    months = closed_months(now)
    held = await tx.column(_HOLD, window=window.name, upto=months[-1], account_ids=list(account_ids))
    # What holds is asked once the snapshots are locked: a projector may have let go of it just before.
    told = {row["account_id"]: row["upto"] for row in await tx.all(_TOLD, window=window.name, account_ids=list(held))}
    by_upto: dict[datetime | None, list[str]] = {}
    for account_id in held:
        by_upto.setdefault(told.get(account_id), []).append(account_id)
    for upto, alike in by_upto.items():
        missing = [month for month in months if upto is None or month > upto]
        if not missing:
            continue
        question = Question(window, Filters(), missing, split=("account_id",), account_ids=alike)
        bound = question.bound() | {"window": window.name, "oldest": closed_months(now - _GRACE)[0]}
        await tx.execute(_CLEAR, **bound)
        for method in ACCOUNT_METHODS:
            await tx.execute(_insert(question, method), **bound, by=method)
        await tx.execute(_TELL, **bound)
    return len(held)


async def drifted(tx: ReadTx, window: Window, account_ids: Sequence[str]) -> set[str]:
    """Those of the accounts, nothing of which waits to be projected, whose rows do not say what is true."""
    rows = await tx.all(_TOLD, window=window.name, account_ids=list(account_ids))
    found: set[str] = set()
    for upto in {row["upto"] for row in rows}:
        told = [row["account_id"] for row in rows if row["upto"] == upto]
        months = closed_months(upto + timedelta(microseconds=1))
        question = Question(window, Filters(), months, split=("account_id",), account_ids=told)
        for method in ACCOUNT_METHODS:
            statement = f"select account_id from ({_rows(question, method)} except {_STORED}) as differing"
            found.update(await tx.column(statement, **question.bound(), window=window.name, by=method))
    return found


def _insert(question: Question, method: Method) -> str:
    return f"insert into month_sums ({', '.join(_COLUMNS)}) {_rows(question, method)}"


def _rows(question: Question, method: Method) -> str:
    """Every account at every moment, from what `count` and `read_coverage` count of it."""
    sides = (("now", "", NOW, "last_at"), ("not now", "_before", BEFORE, "last_before"))
    people = "count(*)" if method == "latest" else "count(distinct stakeholder_id)"
    counts = ", ".join(
        part
        for side, suffix, scores, last in sides
        for part in (
            f"count(*) filter (where {side}) as n{suffix}",
            f"sum({net()}) filter (where {side}) as total{suffix}",
            f"{people} filter (where {side}) as voices{suffix}",
            f"max(answered_at) filter (where {side}) as {last}",
            *(f"count(*) filter (where {side} and score = {score}) as {name}" for score, name in enumerate(scores)),
        )
    )
    return f"""(
    with {voices(method, (), question.filters, None, some_accounts=True)},
    counted as (select account_id, point, {counts} from voices group by account_id, point),
    moves as (
        select account_id, point, sum(case when now then {net()} else -({net()}) end) as e
        from {latest_voices(method, ())} latest group by account_id, stakeholder_id, point having count(*) = 2
    ),
    paired as (
        select account_id, point, count(*) as pairs, sum(e) as pairs_sum, sum(e * e) as pairs_squares
        from moves group by account_id, point
    ),
    asked as (select d0 as account_id, each.* from ({asked_sql(question)}) each),
    became_known as (select d0 as account_id, point as since, people from ({known_sql(question)}) each)
    select cast(:window as text) as score_window, cast(:by as text) as method, account_id, p.upto as moment,
        {", ".join(_MOMENTS)}, {", ".join(f"cast(nullif({name}, 0) as int) as {name}" for name in _NUMBERS)}
    from unnest(cast(:account_ids as text[])) as each(account_id)
    cross join unnest(cast(:points as int[]), cast(:uptos as timestamptz[])) as p(point, upto)
    left join counted using (account_id, point) left join paired using (account_id, point)
    left join asked using (account_id, point)
    cross join lateral (
        select sum(people) as known from became_known k where k.account_id = each.account_id and k.since <= p.point
    ) k)
    """
