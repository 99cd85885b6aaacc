"""Where a portfolio is not listened to: accounts that hang on one person or on nobody who decides, accounts that
nobody asks, and whether those asked were the friendly ones."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.scorer.domain.figures import ENOUGH_VOICES, Z_95, Tally, change_between, score_of, z_between
from services.scorer.domain.windows import utc_text

NEVER_ASKED: Final = timedelta(days=365)
"""Without an invitation for so long an account was never asked."""
ASKED_SCORED_HIGHER: Final = "asked_scored_higher"
MAX_NAMED: Final = 200
"""So many accounts of a list are named; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One account: its people in the directory or ever heard, those of them in the directory who decide, those asked
    and those heard (by any survey) in the window, and the last time of both up to the moment in question."""

    account_id: str
    name: str | None = None
    owner: str | None = None
    known: int = 0
    decision_makers: int = 0
    asked: int = 0
    answered: int = 0
    last_asked_at: datetime | None = None
    last_answered_at: datetime | None = None


def gaps_of(accounts: Iterable[Reached], as_of: datetime) -> dict[str, Any]:
    """The counts of all accounts and the three lists, as JSON values. Accounts come in the order given."""
    everyone = list(accounts)

    def missed(account: Reached) -> bool:
        return account.last_asked_at is None or account.last_asked_at <= as_of - NEVER_ASKED

    return {
        "accounts": {
            "known": len(everyone),
            "asked": sum(bool(account.asked) for account in everyone),
            "answered": sum(bool(account.answered) for account in everyone),
        },
        "people": {
            name: sum(getattr(account, name) for account in everyone) for name in ("known", "asked", "answered")
        },
        "without_decision_maker": _listed(everyone, lambda one: not one.decision_makers),
        "single_threaded": _listed(everyone, lambda one: one.known == 1),
        "never_asked_in_12_months": _listed(everyone, missed),
    }


def selection_of(asked: Tally, left_out: Tally) -> dict[str, Any]:
    """How those asked in a window had scored before it, beside those who were not asked: `{asked, left_out,
    difference, z, significant, warnings}`. A difference above 0 is a warning; `significant` tells it from chance."""
    difference, z = change_between(left_out, asked), z_between(left_out, asked)
    enough = min(asked.total, left_out.total) >= ENOUGH_VOICES
    return {
        "asked": _side(asked),
        "left_out": _side(left_out),
        "difference": difference,
        "z": z,
        "significant": z is not None and enough and abs(z) >= Z_95,
        "warnings": [ASKED_SCORED_HIGHER] if difference is not None and difference > 0 else [],
    }


def _side(tally: Tally) -> dict[str, Any]:
    score = score_of(tally)
    return {
        name: getattr(score, name)
        for name in ("nps", "promoter_count", "passive_count", "detractor_count", "stakeholder_count")
    }


def _listed(accounts: Iterable[Reached], wanted: Callable[[Reached], bool]) -> dict[str, Any]:
    found = [account for account in accounts if wanted(account)]
    return {"account_count": len(found), "accounts": [_named(account) for account in found[:MAX_NAMED]]}


def _named(account: Reached) -> dict[str, Any]:
    return {
        **{name: getattr(account, name) for name in ("account_id", "name", "owner", "known", "asked", "answered")},
        "last_asked_at": account.last_asked_at and utc_text(account.last_asked_at),
        "last_answered_at": account.last_answered_at and utc_text(account.last_answered_at),
    }
