"""Where a portfolio is not listened to: accounts that hang on one person or on nobody who decides, accounts that
nobody asks, and whether those asked were the friendly ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.scorer.domain.figures import ENOUGH_RESPONDENTS, Z_95, Tally, change_between, score_figures, z_between
from services.scorer.domain.windows import utc_text

NEVER_ASKED: Final = timedelta(days=365)
"""Without an invitation for so long an account was never asked."""
ASKED_SCORED_HIGHER: Final = "asked_scored_higher"
MAX_NAMED: Final = 200
"""So many accounts of a list are named; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One account: its people who are in the directory or ever answered, those of them in the directory who decide,
    those asked and those who answered (any survey) in the window, and the last time of both up to the moment in
    question."""

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
    counted = {"known": 0, "asked": 0, "answered": 0}
    people = counted.copy()
    without_decision_maker: list[Reached] = []
    single_threaded: list[Reached] = []
    never_asked: list[Reached] = []
    for account in accounts:
        counted["known"] += 1
        counted["asked"] += account.asked > 0
        counted["answered"] += account.answered > 0
        people["known"] += account.known
        people["asked"] += account.asked
        people["answered"] += account.answered
        if not account.decision_makers:
            without_decision_maker.append(account)
        if account.known == 1:
            single_threaded.append(account)
        if account.last_asked_at is None or account.last_asked_at <= as_of - NEVER_ASKED:
            never_asked.append(account)
    return {
        "accounts": counted,
        "people": people,
        "without_decision_maker": _listed(without_decision_maker),
        "single_threaded": _listed(single_threaded),
        "never_asked_in_12_months": _listed(never_asked),
    }


def selection_of(asked: Tally, left_out: Tally) -> dict[str, Any]:
    """How those asked in a window had scored before it, beside those who were not asked: `{asked, left_out,
    difference, z, significant, warnings}`. A difference above 0 is a warning; `significant` says whether it is beyond
    chance."""
    difference, z = change_between(left_out, asked), z_between(left_out, asked)
    enough = min(asked.total, left_out.total) >= ENOUGH_RESPONDENTS
    warnings = []
    if difference is not None and difference > 0:
        warnings.append(ASKED_SCORED_HIGHER)
    return {
        "asked": score_figures(asked),
        "left_out": score_figures(left_out),
        "difference": difference,
        "z": z,
        "significant": z is not None and enough and abs(z) >= Z_95,
        "warnings": warnings,
    }


def _listed(accounts: Sequence[Reached]) -> dict[str, Any]:
    return {"account_count": len(accounts), "accounts": list(map(_named, accounts[:MAX_NAMED]))}


def _named(account: Reached) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "name": account.name,
        "owner": account.owner,
        "known": account.known,
        "asked": account.asked,
        "answered": account.answered,
        "last_asked_at": account.last_asked_at and utc_text(account.last_asked_at),
        "last_answered_at": account.last_answered_at and utc_text(account.last_answered_at),
    }
