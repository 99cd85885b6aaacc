"""The list of accounts: which ones, in which order, with their attributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from services.scorer.domain.answers import Method
from services.scorer.domain.questions import Filters
from services.scorer.store.reading.account_rows import rows as account_rows
from services.scorer.store.reading.account_rows import score_columns
from services.scorer.store.reading.keyset import Order, contains
from services.scorer.store.reading.one_account import DIRECTORY_COLUMNS
from services.scorer.store.reading.pool import LIVE, conditions
from services.scorer.store.reading.question import Question
from services.scorer.store.reading.sums import net_of_columns, sum_of_columns
from shared.db.sql import comma_list
from shared.db.transaction import ReadTx

_COLUMNS = comma_list("a.{0}", DIRECTORY_COLUMNS)
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
_EVERYONE: Final = f"""everyone as (
        select account_id from accounts where not removed
        union all select k.account_id from (
            select each.account_id
            from (select account_id from snapshots union select account_id from dirty_accounts) each
            left join accounts a using (account_id) where a.removed is not false offset 0
        ) k where (
            exists (select from stakeholders s where s.account_id = k.account_id and not s.removed offset 0)
            or exists (select from invitations i where i.account_id = k.account_id offset 0)
            or exists (select from responses r where r.account_id = k.account_id and {LIVE} and r.answered_at <= :last
                offset 0)
        )
    )"""
"""Whatever is known of an account, it has a snapshot, or a mark until it gets one. Few are not in the directory:
`offset 0` keeps the planner from looking for people of all accounts, and through everything that was ever said."""


@dataclass(frozen=True, slots=True)
class AccountsQuestion:
    """Which accounts: by attributes, by a text in name or id, by ids (those of a class), by whether anything touched
    them since, by whether an answer of theirs counts, and by the day of their renewal. `after` is a position of
    `sort`."""

    filters: Filters
    owner_email: str | None
    sort: str
    descending: bool
    limit: int
    q: str | None = None
    updated_since: datetime | None = None
    account_ids: Sequence[str] | None = None
    answered: bool | None = None
    renews_from: date | None = None
    renews_to: date | None = None
    after: Sequence[Any] | None = None


async def accounts_page(
    tx: ReadTx, asked: AccountsQuestion, figures: Question, method: Method
) -> Sequence[dict[str, Any]]:
    """Up to `limit` + 1 rows with the columns of the directory, account_id and sort_value, in their order.

    Listed are the accounts of the directory and those ever asked or that ever answered. `figures` says by which answers
    `nps` and `change` are sorted, and which ones count for `answered`.
    """
    order = Order(*SORTS[asked.sort], asked.descending, ("e.account_id",))
    counted = counted_join = ""
    if asked.sort in COUNTED_SORTS or asked.answered is not None:
        counted = _counted(figures, method)
        counted_join = " left join counted c on c.account_id = e.account_id"
    rows = await tx.all(
        f"with {counted}{_EVERYONE}"
        f" select e.account_id, {order.expression} as sort_value, {_COLUMNS} from everyone e"
        f" left join accounts a on a.account_id = e.account_id{counted_join}"
        f" where true{_conditions(asked)}{order.after(asked.after)}{order.by()} limit :rows",
        **figures.bound()
        | order.bound(asked.after)
        | {
            "rows": asked.limit + 1,
            "pattern": contains(asked.q or ""),
            "updated_since": asked.updated_since,
            "listed": list(asked.account_ids or ()),
            "renews_from": asked.renews_from,
            "renews_to": asked.renews_to,
        },
    )
    return [dict(row) for row in rows]


def _counted(figures: Question, method: Method) -> str:
    """`counted`, with a comma behind it: of each account how many answers there are and promoters minus detractors."""
    now, before = score_columns(method)
    return f"""{account_rows(figures, method, ("answers",))}, counted as (
        select account_id, {sum_of_columns(now)} as n, {net_of_columns(now)} as total,
            {sum_of_columns(before)} as n_before, {net_of_columns(before)} as total_before
        from rows
    ), """


_TOUCHED: Final = (
    "select account_id from snapshots where computed_at > :updated_since"
    " union all select account_id from dirty_accounts"
)
"""What touches an account makes it dirty, and then its snapshot is computed anew."""


def _conditions(asked: AccountsQuestion) -> str:
    """The filters on accounts; those on answers and people choose what the figures count, not which
    accounts."""
    text = conditions(asked.filters.of_accounts(), asked.owner_email, of=())
    if asked.q is not None:
        text += " and (a.name ilike :pattern or e.account_id ilike :pattern)"
    if asked.updated_since is not None:
        text += f" and e.account_id in ({_TOUCHED})"
    if asked.answered is True:
        text += " and coalesce(c.n, 0) > 0"
    elif asked.answered is False:
        text += " and coalesce(c.n, 0) = 0"
    if asked.renews_from is not None:
        text += " and a.renewal_on >= :renews_from"
    if asked.renews_to is not None:
        text += " and a.renewal_on <= :renews_to"
    if asked.account_ids is not None:
        text += " and e.account_id = any(cast(:listed as text[]))"
    return text
