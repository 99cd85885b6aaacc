"""The list of accounts: which ones, in which order, with their attributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.scorer.domain.answers import Method
from services.scorer.domain.questions import Filters
from services.scorer.store.reading.freshness import stale_accounts
from services.scorer.store.reading.grouped import Question
from services.scorer.store.reading.grouped_sql import voices
from services.scorer.store.reading.keyset import Order, contains
from services.scorer.store.reading.pool import LIVE, net
from services.scorer.store.reading.sums import summable
from shared.db.transaction import ReadTx

_COLUMNS = (
    "a.name, a.industry, a.tier, a.region, a.revenue_amount, a.revenue_currency, a.renewal_on, a.owner_name,"
    " a.owner_email, a.sponsor_name, a.sponsor_email, a.parent_account_id, a.record, a.removed"
)
_EXACT = "cast(100 * {0} as float8) / cast({1} as float8)"
"""As the domain divides: both integers are exact as doubles, so the quotient is the double nearest to the
truth."""
SORTS: Final = {
    "account_id": ('e.account_id collate "C"', "text"),
    "name": ("lower(a.name)", "text"),
    "renewal_on": ("a.renewal_on", "date"),
    "revenue": ("a.revenue_amount", "numeric"),
    "nps": (_EXACT.format("c.total", "nullif(c.n, 0)"), "float8"),
    "change": (
        _EXACT.format("(c.total * c.n_before - c.total_before * c.n)", "nullif(c.n * c.n_before, 0)"),
        "float8",
    ),
}
"""What `sort` may name, and the SQL behind it."""
COUNTED_SORTS: Final = ("nps", "change")
_COUNTED_VOICES: Final = f"""counted_voices as (
        select account_id, count(*) filter (where now) as n, count(*) filter (where not now) as n_before,
            coalesce(sum({net()}) filter (where now), 0) as total,
            coalesce(sum({net()}) filter (where not now), 0) as total_before
        from voices group by account_id
    )"""


@dataclass(frozen=True, slots=True)
class AccountsQuestion:
    """Which accounts: by attributes, by a text in name or id, and by ids (those of a class). `after` is a
    position of `sort`."""

    filters: Filters
    owner_email: str | None
    sort: str
    descending: bool
    limit: int
    q: str | None = None
    account_ids: Sequence[str] | None = None
    after: Sequence[Any] | None = None


async def accounts_page(
    tx: ReadTx, asked: AccountsQuestion, figures: Question, method: Method
) -> Sequence[dict[str, Any]]:
    """Up to `limit` + 1 rows with the columns of the directory, account_id and sort_value, in their order.

    Listed are the accounts of the directory and those ever asked or heard. `figures` says by which answers
    `nps` and `change` are sorted.
    """
    order = Order(*SORTS[asked.sort], asked.descending, ("e.account_id",))
    stale = await stale_accounts(tx, figures.moments[0]) if summable(figures) else None
    listed = _counted(asked, figures, method) if stale is None else _summed(asked, figures, method)
    rows = await tx.all(
        f"{listed}"
        f" select e.account_id, {order.expression} as sort_value, {_COLUMNS} from everyone e"
        " left join accounts a on a.account_id = e.account_id"
        f"{' left join counted c on c.account_id = e.account_id' if asked.sort in COUNTED_SORTS else ''}"
        f" where true{_conditions(asked)}{order.after(asked.after)}{order.by()} limit :rows",
        **figures.bound()
        | order.bound(asked.after)
        | {
            "window": figures.window.name,
            "by": method,
            "account_ids": list(stale or ()),
            "rows": asked.limit + 1,
            "pattern": contains(asked.q or ""),
            "listed": list(asked.account_ids or ()),
        },
    )
    return [dict(row) for row in rows]


def _counted(asked: AccountsQuestion, figures: Question, method: Method) -> str:
    """`with …` that ends in `everyone`, after the accounts' voices where the order needs them."""
    everyone = f"""everyone as (
        select account_id from accounts where not removed
        union select account_id from stakeholders where not removed union select account_id from invitations
        union select r.account_id from responses r where {LIVE} and r.answered_at <= :last
    )"""
    if asked.sort not in COUNTED_SORTS:
        return f"with {everyone}"
    return f"""{voices(method, (), figures.filters, figures.owner_email, some_accounts=False)},
    {_COUNTED_VOICES},
    counted as (select * from counted_voices), {everyone}"""


def _summed(asked: AccountsQuestion, figures: Question, method: Method) -> str:
    """The same from the snapshots; `:account_ids` are the accounts whose snapshot is stale, which are counted."""
    fresh = "not account_id = any(cast(:account_ids as text[]))"
    everyone = f"""everyone as (
        select account_id from accounts where not removed
        union select account_id from stakeholders where not removed union select account_id from invitations
        union select account_id from snapshot_sums
            where score_window = 'all' and method = 'latest' and known > 0 and {fresh}
        union select r.account_id from responses r
            where {LIVE} and r.answered_at <= :last and r.account_id = any(cast(:account_ids as text[]))
    )"""
    if asked.sort not in COUNTED_SORTS:
        return f"with {everyone}"
    return f"""{voices(method, (), figures.filters, figures.owner_email, some_accounts=True)},
    {_COUNTED_VOICES},
    counted as (
        select account_id, n, n_before, total, total_before from snapshot_sums
        where score_window = :window and method = :by and {fresh}
        union all select account_id, n, n_before, total, total_before from counted_voices
    ), {everyone}"""


def _conditions(asked: AccountsQuestion) -> str:
    """The filters on accounts; those on answers and people choose what the figures count, not which
    accounts."""
    given = asked.filters.given()
    columns = {"industry": "a.industry", "tier": "a.tier", "region": "a.region", "owner": "a.owner_email"}
    text = "".join(f" and {column} = :{name}" for name, column in columns.items() if name in given)
    if asked.owner_email is not None:
        text += " and a.owner_email = :owner_email"
    if asked.q is not None:
        text += " and (a.name ilike :pattern or e.account_id ilike :pattern)"
    if asked.account_ids is not None:
        text += " and e.account_id = any(cast(:listed as text[]))"
    return text
