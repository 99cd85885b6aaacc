"""Revenue by the class of the accounts and by the quarter of their renewal."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from services.scorer.domain.classes import ACCOUNT_CLASSES, AccountClass
from services.scorer.domain.portfolio import MAX_NAMED

AT_RISK: Final = "at_risk"


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
    everyone = list(customers)
    counted = [customer for customer in everyone if customer.amount is not None and customer.currency == currency]
    left = [customer for customer in everyone if customer.amount is None or customer.currency != currency]
    by_quarter: dict[tuple[int, int] | None, list[Customer]] = defaultdict(list)
    for customer in counted:
        by_quarter[_quarter(customer.renewal_on)].append(customer)
    return {
        "currency": currency,
        **_sums(counted),
        "by_class": [
            {"class": name} | _sums([customer for customer in counted if customer.account_class == name])
            for name in ACCOUNT_CLASSES
        ],
        "by_renewal_quarter": [
            _named(quarter) | _sums(by_quarter[quarter]) | {"by_class": _by_class(by_quarter[quarter])}
            for quarter in sorted(by_quarter, key=lambda found: found or (9999, 9))
        ],
        "left_out_count": len(left),
        "left_out": [
            {
                "account_id": customer.account_id,
                "name": customer.name,
                "reason": "no_revenue" if customer.amount is None else "other_currency",
            }
            for customer in left[:MAX_NAMED]
        ],
    }


def _sums(customers: Iterable[Customer]) -> dict[str, Any]:
    found = list(customers)
    return {
        "account_count": len(found),
        "revenue": _total(found),
        "revenue_at_risk": _total(customer for customer in found if customer.account_class == AT_RISK),
    }


def _by_class(customers: Iterable[Customer]) -> dict[str, float]:
    found = list(customers)
    present = {customer.account_class for customer in found}
    return {
        name: _total(customer for customer in found if customer.account_class == name)
        for name in ACCOUNT_CLASSES
        if name in present
    }


def _total(customers: Iterable[Customer]) -> float:
    """Summed exactly, turned into a double once."""
    return float(sum((customer.amount or Decimal(0) for customer in customers), Decimal(0)))


def _quarter(day: date | None) -> tuple[int, int] | None:
    return None if day is None else (day.year, (day.month + 2) // 3)


def _named(quarter: tuple[int, int] | None) -> dict[str, Any]:
    if quarter is None:
        return {"quarter": None, "from": None, "to": None}
    year, number = quarter
    after = date(year + number // 4, 1 + 3 * (number % 4), 1)
    return {
        "quarter": f"{year}-Q{number}",
        "from": date(year, 3 * number - 2, 1).isoformat(),
        "to": (after - timedelta(days=1)).isoformat(),
    }
