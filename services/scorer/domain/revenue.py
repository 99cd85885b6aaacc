"""Revenue by the class of the accounts and by the quarter of their renewal."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from services.scorer.domain.classes import ACCOUNT_CLASSES, AccountClass
from services.scorer.domain.portfolio import MAX_NAMED

AT_RISK: Final = "at_risk"
_NO_QUARTER: Final = (10_000, 1)
"""Of a contract without an end: after all others."""


@dataclass(frozen=True, slots=True)
class Customer:
    """An account with what it is worth a year, when its contract ends, and its class."""

    account_id: str
    name: str | None
    amount: Decimal | None
    currency: str | None
    renewal_on: date | None
    account_class: AccountClass


def revenue_of(customers: Iterable[Customer], currency: str | None) -> dict[str, Any]:
    """All, by class, by renewal quarter (no date last), as JSON values. Accounts without revenue in the currency are
    counted and named as left out."""
    counted: list[Customer] = []
    left_out: list[dict[str, Any]] = []
    by_quarter: dict[tuple[int, int], list[Customer]] = defaultdict(list)
    for customer in customers:
        if customer.amount is None:
            left_out.append(_left_out(customer, "no_revenue"))
        elif customer.currency != currency:
            left_out.append(_left_out(customer, "other_currency"))
        else:
            counted.append(customer)
            by_quarter[_quarter(customer.renewal_on)].append(customer)
    by_class = [{"class": name} | _sums(_of_class(counted, name)) for name in ACCOUNT_CLASSES]
    by_renewal_quarter = []
    for quarter in sorted(by_quarter):
        renewing = by_quarter[quarter]
        by_renewal_quarter.append(_named(quarter) | _sums(renewing) | {"by_class": _by_class(renewing)})
    return {
        "currency": currency,
        **_sums(counted),
        "by_class": by_class,
        "by_renewal_quarter": by_renewal_quarter,
        "left_out_count": len(left_out),
        "left_out": left_out[:MAX_NAMED],
    }


def _left_out(customer: Customer, reason: str) -> dict[str, Any]:
    return {"account_id": customer.account_id, "name": customer.name, "reason": reason}


def _sums(customers: Sequence[Customer]) -> dict[str, Any]:
    return {
        "account_count": len(customers),
        "revenue": _total(customers),
        "revenue_at_risk": _total(_of_class(customers, AT_RISK)),
    }


def _by_class(customers: Sequence[Customer]) -> dict[str, float]:
    """The revenue of each class that there is."""
    found: dict[str, float] = {}
    for name in ACCOUNT_CLASSES:
        of_class = _of_class(customers, name)
        if of_class:
            found[name] = _total(of_class)
    return found


def _of_class(customers: Iterable[Customer], name: str) -> list[Customer]:
    return [customer for customer in customers if customer.account_class == name]


def _total(customers: Iterable[Customer]) -> float:
    """Summed exactly, turned into a double once."""
    return float(sum((customer.amount or Decimal(0) for customer in customers), Decimal(0)))


def _quarter(day: date | None) -> tuple[int, int]:
    if day is None:
        return _NO_QUARTER
    return day.year, (day.month + 2) // 3


def _named(quarter: tuple[int, int]) -> dict[str, Any]:
    if quarter == _NO_QUARTER:
        return {"quarter": None, "from": None, "to": None}
    year, number = quarter
    after = date(year + number // 4, 1 + 3 * (number % 4), 1)
    return {
        "quarter": f"{year}-Q{number}",
        "from": date(year, 3 * number - 2, 1).isoformat(),
        "to": (after - timedelta(days=1)).isoformat(),
    }
