"""An attacker who adds and subtracts everything that is shown, and knows his own accounts, learns of no single one."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import lcm

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.benchmark.domain.cohorts import FAMILIES, Cohort, Counted, Key, Tally, cohorts_of
from services.benchmark.domain.protection import LEAST_ACCOUNTS, fault, hidden
from tests.support.examples import examples

Vector = tuple[Fraction, ...]


def counted(number: int, cell: Sequence[str | None], answers: int = 1, own: bool = False) -> Counted:
    """An account with so many answers, all of them 10."""
    industry, tier, region = cell
    return Counted(f"a{number}", (industry, tier, region), Tally((0,) * 10 + (answers,), answers), None, own)


def world(sizes: Mapping[tuple[str | None, ...], int], own: Sequence[int] = ()) -> list[Counted]:
    """So many accounts of one answer in each cell."""
    cells = [cell for cell, size in sizes.items() for _ in range(size)]
    return [counted(number, cell, own=number in own) for number, cell in enumerate(cells)]


def shown(accounts: Sequence[Counted], *, knows_own: bool = False) -> list[Cohort]:
    """The cohorts that are not hidden."""
    everything = cohorts_of(accounts)
    reasons = hidden(everything, knows_own=knows_own)
    return [cohort for cohort in everything if cohort.key not in reasons]


def reasons(accounts: Sequence[Counted], *, knows_own: bool = False) -> dict[Key, str]:
    """Cohort → why it is hidden."""
    return dict(hidden(cohorts_of(accounts), knows_own=knows_own))


def unknowns(vectors: Sequence[Vector], width: int) -> list[Vector]:
    """A basis of everything that may be added to a solution without anybody noticing, by exact elimination."""
    rows = [list(vector) for vector in vectors]
    pivots: list[int] = []
    for column in range(width):
        place = len(pivots)
        found = next((number for number in range(place, len(rows)) if rows[number][column]), None)
        if found is None:
            continue
        rows[place], rows[found] = rows[found], rows[place]
        rows[place] = [value / rows[place][column] for value in rows[place]]
        for number, row in enumerate(rows):
            if number != place and row[column]:
                rows[number] = [value - row[column] * top for value, top in zip(row, rows[place], strict=True)]
        pivots.append(column)
    free = [column for column in range(width) if column not in pivots]
    basis = []
    for column in free:
        vector = [Fraction(0)] * width
        vector[column] = Fraction(1)
        for place, pivot in enumerate(pivots):
            vector[pivot] = -rows[place][column]
        basis.append(tuple(vector))
    return basis


class Attacker:
    """Knows every shown cohort and, where he has some, his own accounts."""

    def __init__(self, cohorts: Sequence[Cohort], accounts: Sequence[Counted], *, knows_own: bool) -> None:
        self.foreign = [account for account in accounts if not (knows_own and account.own)]
        vectors = [
            tuple(Fraction(account in cohort.accounts) for account in self.foreign)
            for cohort in cohorts
            if cohort.accounts
        ]
        basis = unknowns(vectors, len(self.foreign))
        scale = lcm(*(value.denominator for vector in basis for value in vector))
        self.columns = [tuple(int(vector[place] * scale) for vector in basis) for place in range(len(self.foreign))]

    def can_work_out(self, group: Sequence[Counted]) -> bool:
        """Whether a sum over these accounts follows from what is known."""
        columns = [column for account, column in zip(self.foreign, self.columns, strict=True) if account in group]
        return not any(map(sum, zip(*columns, strict=True)))

    def small_groups(self) -> Iterator[Sequence[Counted]]:
        """Every group of foreign accounts that is too small and can be worked out, single accounts first."""
        both = list(zip(self.foreign, self.columns, strict=True))
        for size in range(1, LEAST_ACCOUNTS):
            for group in combinations(both, size):
                if not any(map(sum, zip(*(column for _, column in group), strict=True))):
                    yield [account for account, _ in group]


values = st.sampled_from(("x", "y", None))
worlds = st.lists(
    st.tuples(st.tuples(values, values, st.sampled_from(("x", None))), st.sampled_from((1, 1, 1, 2, 5)), st.booleans()),
    min_size=8,
    max_size=26,
).map(lambda rows: [counted(number, *row) for number, row in enumerate(rows)])


@settings(max_examples=examples(120), deadline=None)
@given(worlds, st.booleans())
def test_nobody_isolates_an_account_or_a_handful_over_all_shown_cohorts(
    accounts: list[Counted], knows_own: bool
) -> None:
    attacker = Attacker(shown(accounts, knows_own=knows_own), accounts, knows_own=knows_own)
    assert list(attacker.small_groups()) == []


@settings(max_examples=examples(200), deadline=None)
@given(worlds, st.booleans())
def test_nobody_works_out_a_cohort_or_a_difference_that_one_account_dominates(
    accounts: list[Counted], knows_own: bool
) -> None:
    cohorts = shown(accounts, knows_own=knows_own)
    attacker = Attacker(cohorts, accounts, knows_own=knows_own)
    groups = [cohort.accounts for cohort in cohorts_of(accounts)]
    groups += [
        tuple(account for account in outer.accounts if account not in inner.accounts)
        for outer, inner in combinations(cohorts, 2)
        if set(outer.key) <= set(inner.key)
    ]
    for group in groups:
        foreign = [account for account in group if account in attacker.foreign]
        if fault([account.now.total for account in foreign]):
            assert not attacker.can_work_out(foreign)


@given(worlds)
def test_what_is_shown_has_five_accounts_and_none_above_two_fifths(accounts: list[Counted]) -> None:
    for cohort in shown(accounts):
        answers = [account.now.total for account in cohort.accounts]
        assert len(answers) >= 5 or not answers
        assert not answers or max(answers) <= Fraction(2, 5) * sum(answers)


@given(worlds)
def test_what_is_hidden_has_a_reason_that_holds(accounts: list[Counted]) -> None:
    by_key = {cohort.key: [account.now.total for account in cohort.accounts] for cohort in cohorts_of(accounts)}
    for key, reason in reasons(accounts).items():
        assert (fault(by_key[key]) or "complement") == reason


def test_an_attacker_finds_what_is_there_to_be_found() -> None:
    accounts = world({("a", None, None): 6, ("b", None, None): 1})
    by_key = {cohort.key: cohort for cohort in cohorts_of(accounts)}
    attacker = Attacker([by_key[()], by_key[(("industry", "a"),)]], accounts, knows_own=False)
    assert [[account.account_id for account in group] for group in attacker.small_groups()] == [["a6"]]


def test_the_rule_itself() -> None:
    assert fault([]) is None
    assert fault([1, 1, 1, 1]) == "few_accounts"
    assert fault([1, 1, 1, 1, 1]) is None
    assert fault([4, 2, 2, 1, 1]) is None
    assert fault([5, 2, 2, 1, 1]) == "dominated"


def test_large_cohorts_are_all_shown() -> None:
    cells: dict[tuple[str | None, ...], int] = {(i, t, r): 5 for i in "ab" for t in "cd" for r in "ef"}
    assert reasons(world(cells)) == {}
    assert len(shown(world(cells))) == 27


def test_where_one_sibling_is_hidden_the_whole_is_too() -> None:
    found = reasons(world({("a", None, None): 9, ("b", None, None): 6, ("c", None, None): 2}))
    assert found[(("industry", "c"),)] == "few_accounts"
    assert {found[()], found[(("tier", None),)]} == {"complement"}
    assert not {(("industry", "a"),), (("industry", "b"),)} & found.keys()


def test_or_the_smallest_other_where_the_whole_tells_more() -> None:
    sizes: dict[tuple[str | None, ...], int] = {(None, tier, region): 20 for tier in "xyz" for region in "uvw"}
    found = reasons(world(sizes | {("a", "x", "u"): 6, ("b", "x", "u"): 2}))
    assert (found[(("industry", "b"),)], found[(("industry", "a"),)]) == ("few_accounts", "complement")
    assert () not in found


def test_two_small_siblings_do_not_hide_each_other() -> None:
    accounts = world({("a", None, None): 9, ("b", None, None): 3, ("c", None, None): 3})
    hidden_industries = {key[0][1] for key in reasons(accounts) if len(key) == 1 and key[0][0] == "industry"}
    assert hidden_industries == {"b", "c"}


def test_cohorts_that_differ_by_one_account_are_not_both_shown() -> None:
    accounts = world({("a", "c", None): 6, ("a", "d", None): 1, ("b", "d", None): 6})
    keys = {cohort.key for cohort in shown(accounts)}
    assert not {(("industry", "a"),), (("industry", "a"), ("tier", "c"))} <= keys


def test_margins_are_shown_where_their_crossings_are_too_small() -> None:
    cells: dict[tuple[str | None, ...], int] = {(i, t, None): 2 for i in "abc" for t in "xyz"}
    keys = {cohort.key for cohort in shown(world(cells))}
    assert {(("industry", name),) for name in "abc"} | {(("tier", name),) for name in "xyz"} <= keys
    assert not any(len(key) > 1 and None not in dict(key).values() for key in keys)


def test_who_knows_four_of_five_is_not_told_of_the_fifth() -> None:
    accounts = world({("a", None, None): 5, ("b", None, None): 12}, own=(0, 1, 2, 3))
    assert (("industry", "a"),) not in reasons(accounts)
    assert reasons(accounts, knows_own=True)[(("industry", "a"),)] == "few_accounts"


def test_cohorts_of_own_accounts_alone_tell_nothing_of_others() -> None:
    accounts = world({("a", None, None): 5, ("b", None, None): 5}, own=range(5))
    assert reasons(accounts, knows_own=True) == {}


@pytest.mark.parametrize("industries", [12, 40])
def test_a_large_sparse_world_is_protected_in_good_time(industries: int) -> None:
    accounts = [
        counted(number, (f"i{number % industries}", f"t{number % 3}", f"r{number * 7 % 11}")) for number in range(600)
    ]
    found = shown(accounts)
    assert {cohort.key for cohort in found} >= {(), (("tier", "t0"),), (("industry", "i0"),)}


def test_every_cohort_counts_each_of_its_accounts_once() -> None:
    accounts = world({(i, t, r): 1 for i in "ab" for t in "cd" for r in (None, "f")})
    for family in FAMILIES:
        inside = [account for cohort in cohorts_of(accounts, [family]) for account in cohort.accounts]
        assert sorted(account.account_id for account in inside) == sorted(account.account_id for account in accounts)
