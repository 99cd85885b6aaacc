"""Cohorts out of the newest snapshots, for those who may see every account and for those who may not."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.benchmark.domain.cohorts import FAMILIES, Cohort, Counted, Key, cohorts_of, figures_of, rounded
from services.benchmark.domain.protection import Reason, hidden
from services.benchmark.store.accounts import counted_accounts
from shared.db.engine import Database

ROUNDED = ("promoter_percent", "passive_percent", "detractor_percent", "ci_low", "ci_high")
SHOWN_PROTECTED = ("response_count", "stakeholder_count", "account_count")


@dataclass(frozen=True, slots=True)
class CohortQuestion:
    """Which cohorts: of this window and method, split by `family` (None: by all of them), of these values."""

    window: str
    method: str
    family: tuple[str, ...] | None = None
    values: tuple[tuple[str, str], ...] = ()
    owner_email: str | None = None
    protected: bool = False


class Cohorts:
    """Adds up snapshots."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, question: CohortQuestion) -> dict[str, Any]:
        """The cohorts in question. For a key that is limited to an owner, and when asked to, they are protected: of
        all accounts, rounded, and hidden where somebody could work out what one account says."""
        async with self._database.read() as tx:
            accounts = await counted_accounts(tx, question.window, question.method, question.owner_email)
        limited = question.owner_email is not None
        protected = limited or question.protected
        groups = await asyncio.to_thread(_groups, accounts, question, limited=limited, protected=protected)
        return {"window": question.window, "method": question.method, "protected": protected, "groups": groups}


def _groups(
    accounts: Sequence[Counted], question: CohortQuestion, *, limited: bool, protected: bool
) -> list[dict[str, Any]]:
    everything = cohorts_of(accounts)
    reasons: Mapping[Key, Reason] = {}
    if protected:
        reasons = hidden(everything, knows_own=limited)
    compared = question.window != "all"
    groups = []
    for cohort in everything:
        if not _asked_for(cohort, question):
            continue
        reason = reasons.get(cohort.key)
        group: dict[str, Any] = {"group": cohort.group, "hidden": reason is not None, "hidden_reason": reason}
        if reason is None:
            figures = figures_of(cohort.accounts, compared=compared)
            if protected:
                figures = _protected(figures)
            group |= figures
        if limited:
            own = figures_of([account for account in cohort.accounts if account.own], compared=compared)
            group["own"] = {name: own[name] for name in ("nps", "nps_rounded", *SHOWN_PROTECTED)}
        groups.append(group)
    return groups


def _asked_for(cohort: Cohort, question: CohortQuestion) -> bool:
    if question.family is not None and tuple(cohort.group) != question.family:
        return False
    return set(question.values) <= set(cohort.key)


def _protected(figures: dict[str, Any]) -> dict[str, Any]:
    """Whole numbers, and nothing of the window before, to which other accounts may have answered."""
    shown = {name: figures[name] for name in SHOWN_PROTECTED}
    shown |= {name: _whole(figures[name]) for name in ROUNDED}
    return shown | {"nps": figures["nps_rounded"], "nps_rounded": figures["nps_rounded"]}


def _whole(value: float | None) -> int | None:
    if value is None:
        return None
    return rounded(round(value * 10**9), 10**9)


def family_of(names: Sequence[str]) -> tuple[str, ...]:
    """The names in the order in which cohorts have them. Raises ValueError when there is no such split."""
    for family in FAMILIES:
        if set(family) == set(names) and len(names) == len(set(names)):
            return family
    raise ValueError("no such split")
