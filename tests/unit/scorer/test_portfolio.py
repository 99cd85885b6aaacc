"""The mean of the accounts, plain and weighted by revenue."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.scorer.domain.figures import Pairs, figures_from_counts, tally_of
from services.scorer.domain.portfolio import (
    NOBODY,
    NOT_SAID,
    GroupCounts,
    Means,
    Part,
    group_figures,
    mean_over_accounts,
    with_mean,
)
from services.scorer.domain.windows import STANDARD_WINDOWS

ACCOUNTS = st.lists(
    st.tuples(st.lists(st.sampled_from((-1, 0, 1)), min_size=1, max_size=6), st.decimals(0, 1_000_000, places=2)),
    max_size=8,
)


@given(ACCOUNTS)
def test_parts_by_number_of_respondents_give_the_mean_of_the_accounts(accounts: list[Any]) -> None:
    parts: dict[int, tuple[Decimal, Decimal]] = {}
    for nets, weight in accounts:
        total, weighted = parts.get(len(nets), (Decimal(0), Decimal(0)))
        parts[len(nets)] = (total + weight, weighted + weight * sum(nets))
    actual = mean_over_accounts(Part(respondents, *sums) for respondents, sums in parts.items())
    weights = sum(Fraction(weight) for _, weight in accounts)
    if not weights:
        assert actual is None
        return
    assert actual == sum(Fraction(weight) * Fraction(sum(nets), len(nets)) for nets, weight in accounts) / weights


def figures(scores: list[int], before: list[int]) -> dict[str, Any]:
    """Figures of `latest`."""
    return figures_from_counts(tally_of(scores, len(scores), None), tally_of(before, len(before), None), Pairs())


def test_the_mean_takes_the_place_of_the_score_and_the_counts_stay() -> None:
    latest = figures([9, 9, 0], [9, 7])
    mean = with_mean(latest, Fraction(1, 8), Fraction(-1, 8), "nps")
    assert (mean["nps"], mean["nps_rounded"]) == (12.5, 13)
    assert (mean["previous"]["nps"], mean["previous"]["nps_rounded"], mean["change"]) == (-12.5, -13, 25.0)
    assert mean["ci_low"] is mean["z"] is mean["previous"]["ci_high"] is None
    assert (mean["promoter_count"], mean["previous"]["response_count"]) == (2, 2)
    assert latest["nps"] == 100 / 3


def test_without_accounts_there_is_no_mean() -> None:
    mean = with_mean(figures([], []), None, None, "nps")
    assert mean["nps"] is mean["change"] is mean["previous"]["nps"] is None


def test_split_by_something_that_invitations_do_not_have_their_figures_are_unknown() -> None:
    known, unknown = (
        group_figures(GroupCounts(asked=asked), Means(), STANDARD_WINDOWS[0], "latest", "nps", None)
        for asked in (NOBODY, NOT_SAID)
    )
    assert (known["sent_count"], known["coverage"]["asked"]) == (0, 0)
    assert unknown["sent_count"] is unknown["response_rate"] is unknown["coverage"]["asked"] is None
