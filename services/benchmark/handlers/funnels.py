"""Asks the scorer for the funnel of invitations, and holds it against the yardsticks."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.benchmark.domain.funnel import counts_and_rates, judge, yardsticks
from services.benchmark.gateways.scorer import Scorer


class Funnels:
    """Funnels by group."""

    def __init__(self, scorer: Scorer, few_invitations: int) -> None:
        self._scorer = scorer
        self._few_invitations = few_invitations

    async def of(self, authorization: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """The funnel of each group, as the scorer counts it for the caller's own key."""
        told = await self._scorer.funnel(authorization, query)
        groups = []
        for group in told["groups"]:
            funnel = counts_and_rates(group)
            judged = judge(funnel, self._few_invitations)
            groups.append({"group": group["group"]} | funnel | asdict(judged))
        return {"window": query["window"], "yardsticks": yardsticks(), "groups": groups}
