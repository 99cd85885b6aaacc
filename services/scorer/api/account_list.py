"""The list of accounts, page by page: attributes, class and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from pydantic import Field

from services.scorer.api.naming import figure_names, named
from services.scorer.api.pages import Listing
from services.scorer.api.parameters import ScoreQuery, UpdatedSince
from services.scorer.api.resources import Scorer
from services.scorer.domain.account import figures_of
from services.scorer.domain.buckets import buckets
from services.scorer.domain.classes import AccountClass, Classified
from services.scorer.domain.portfolio import GroupCounts
from services.scorer.domain.windows import parse_window
from services.scorer.store.reading.accounts import AccountsQuestion, accounts_page
from services.scorer.store.reading.classes import class_names, classes_of
from services.scorer.store.reading.freshness import stale_accounts
from services.scorer.store.reading.portfolio import portfolio_figures
from services.scorer.store.reading.question import Question
from services.scorer.store.reading.sums import sums
from shared.db.transaction import ReadTx
from shared.http.params import Day, Search


class ChosenAccounts(ScoreQuery):
    """Which accounts, with which figures."""

    class_: AccountClass | None = Field(default=None, alias="class", description="Only accounts of this class.")
    q: Search | None = Field(default=None, description="Only accounts with this text in their name or id.")
    updated_since: UpdatedSince = None
    answered: bool | None = Field(
        default=None, description="Only accounts from which an answer counts in the window, or from which none does."
    )
    renews_from: Day | None = Field(default=None, description="Only accounts that renew on this day or later.")
    renews_to: Day | None = Field(default=None, description="Only accounts that renew on this day or earlier.")


@dataclass(frozen=True, slots=True)
class AccountList:
    """The accounts that a caller asks for, as of one moment."""

    resources: Scorer
    owner_email: str | None
    asked: ChosenAccounts
    as_of: datetime

    async def page(
        self, tx: ReadTx, listing: Listing, cursor: str | None, limit: int, months: int = 0
    ) -> tuple[list[dict[str, Any]], str | None]:
        """The items of a page and the cursor of the next one; with the scores at the ends of the last `months`."""
        asked, filters, stale = self.asked, self.asked.filters(), None
        if asked.as_of is None:
            stale = await stale_accounts(tx, self.as_of)
        everywhere = Question(
            parse_window(asked.window), filters, [self.as_of], owner_email=self.owner_email, stale=stale
        )
        wanted = AccountsQuestion(
            filters=filters,
            owner_email=self.owner_email,
            sort=listing.sort,
            descending=listing.descending,
            limit=limit,
            q=asked.q,
            updated_since=asked.updated_since,
            account_ids=await self._members(tx, stale),
            answered=asked.answered,
            renews_from=asked.renews_from,
            renews_to=asked.renews_to,
            after=listing.position(cursor),
        )
        rows, following = listing.cut(await accounts_page(tx, wanted, everywhere, asked.method), limit)
        ids = [row["account_id"] for row in rows]
        classes = await classes_of(tx, self.as_of, self.resources.settings.thresholds(), ids, stale)
        question = replace(everywhere, split=("account_id",), account_ids=ids)
        counted = await sums(tx, question, asked.method)
        trends = await self._trends(tx, question, months)
        items = []
        for row in rows:
            account_id = row["account_id"]
            group = counted.get((0, (account_id,)), GroupCounts())
            figures = figures_of(group.counts, question.window, asked.method, asked.survey_type)
            item = attributes_of(row, classes[account_id]) | named(figures, **figure_names(asked))
            if months:
                item["trend"] = trends[account_id]
            items.append(item)
        return items, following

    async def _trends(self, tx: ReadTx, question: Question, months: int) -> dict[str, list[float | None]]:
        """Account → its score at the end of each of the last months, oldest first, the last one as of the moment of the
        list; None where nothing counts. One question for all accounts of the page."""
        lines: dict[str, list[float | None]] = {
            account_id: [None] * months for account_id in question.account_ids or ()
        }
        if lines and months:
            moments = [bucket.as_of for bucket in buckets("month", months, self.as_of)]
            figures = await portfolio_figures(tx, replace(question, moments=moments), [self.asked.method])
            for figure in figures:
                lines[str(figure.group["account_id"])][figure.point] = figure.figures["nps"]
        return lines

    async def _members(self, tx: ReadTx, stale: Sequence[str] | None) -> list[str] | None:
        """The accounts of the class asked for."""
        if self.asked.class_ is None:
            return None
        classes = await class_names(tx, self.as_of, self.resources.settings.thresholds(), stale)
        return [account for account, name in classes.items() if name == self.asked.class_]


def attributes_of(row: dict[str, Any], classified: Classified) -> dict[str, Any]:
    """The row of the directory and the class as the API shows them."""
    record, annual_revenue = row["record"] or {}, None
    if row["revenue_amount"] is not None:
        annual_revenue = {"amount": float(row["revenue_amount"]), "currency": row["revenue_currency"]}
    return {
        "account_id": row["account_id"],
        "name": row["name"],
        "industry": row["industry"],
        "tier": row["tier"],
        "region": row["region"],
        "annual_revenue": annual_revenue,
        "renewal_on": row["renewal_on"],
        "products": record.get("products") or [],
        "owner": _contact(row["owner_name"], row["owner_email"]),
        "sponsor": _contact(row["sponsor_name"], row["sponsor_email"]),
        "parent_account_id": row["parent_account_id"],
        **_told_in_record(record),
        "attributes": record.get("attributes") or {},
        "removed": bool(row["removed"]),
        "class": classified.name,
        "class_rule": classified.rule,
        "class_numbers": classified.numbers,
    }


def _told_in_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """What of an account has no column."""
    pause = record.get("do_not_ask")
    if pause is not None:
        pause = {"until": _day(pause.get("until")), "reason": pause["reason"]}
    return {
        "closed_on": _day(record.get("closed_on")),
        "time_zone": record.get("time_zone"),
        "language": record.get("language"),
        "customer_since": _day(record.get("customer_since")),
        "do_not_ask": pause,
    }


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    return date.fromisoformat(text)


def _contact(name: str | None, email: str | None) -> dict[str, str | None] | None:
    if name is None and email is None:
        return None
    return {"name": name, "email": email}
