"""Which cohorts may be shown to somebody who must not learn of a single account: k-anonymity with a dominance rule,
complements included.

The cohorts are fixed (industry, tier, region, their crossings and margins), so what anybody can work out by adding and
subtracting them is known beforehand: the linear span of what is shown. A cohort is shown only if with it

- no set of fewer than five accounts can be worked out, by whatever combination;
- no hidden cohort that is unsafe can be;
- neither can an unsafe difference of a cohort and one or all of its shown parts.

Whoever is limited to an owner knows the owner's accounts, so for him all this goes by the accounts of others.
docs/decisions/0062 goes through it with an example, and says what plainer rules would cost.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, product
from random import Random
from typing import Final, Literal

from services.benchmark.domain.cohorts import FAMILIES, Cell, Cohort, Key, key_of

LEAST_ACCOUNTS: Final = 5
LARGEST_SHARE: Final = (2, 5)
"""One account may give at most 40 % of the answers."""
PRIME: Final = 2**61 - 1
ORDERS: Final = ((FAMILIES[1], FAMILIES[0], *FAMILIES[2:]), FAMILIES)
"""Where one of two must be hidden, the one that comes later is: industries may come before the whole, or after it. The
order that shows more different cohorts is taken, the first of equals."""
MOST_LIGHT: Final = 1_000
"""Of more parts than so many the combinations take too long; then only what divides nothing further is shown."""
Reason = Literal["few_accounts", "dominated", "complement"]
Member = tuple[Cell, int, bool]
"""An account as protection sees it: its cell, how many answers it gives, whether the reader knows it anyway."""


def fault(answers: Sequence[int]) -> Reason | None:
    """Why a set of accounts with so many answers each may not be shown; None when it may, also when it is empty."""
    if not answers:
        return None
    if len(answers) < LEAST_ACCOUNTS:
        return "few_accounts"
    part, whole = LARGEST_SHARE
    if whole * max(answers) > part * sum(answers):
        return "dominated"
    return None


def hidden(cohorts: Sequence[Cohort], *, knows_own: bool) -> Mapping[Key, Reason]:
    """The cohorts to hide from a reader, with the reason. `knows_own`: the reader sees the accounts marked own."""
    everything = next(cohort for cohort in cohorts if not cohort.key)
    members: list[Member] = []
    for account in everything.accounts:
        if account.now.total:
            members.append((account.cell, account.now.total, knows_own and account.own))
    return _hidden(tuple(sorted(members, key=repr)))


@lru_cache(maxsize=64)
def _hidden(members: tuple[Member, ...]) -> Mapping[Key, Reason]:
    reasons: dict[Key, Reason] = {}
    candidates: list[Key] = []
    unsafe: dict[Key, int] = {}
    answers: dict[Key, list[int]] = defaultdict(list)
    foreign: dict[Key, list[int]] = defaultdict(list)
    for cell, count, own in members:
        for family in FAMILIES:
            key = key_of(cell, family)
            answers[key].append(count)
            if not own:
                foreign[key].append(count)
    for key in sorted(answers, key=lambda key: (len(key), -len(answers[key]), repr(key))):
        fault_of_others = fault(foreign[key])
        reason = fault(answers[key]) or fault_of_others
        if reason is None:
            candidates.append(key)
            continue
        reasons[key] = reason
        if fault_of_others:
            unsafe[key] = len(foreign[key])
    guards = [_shown_in(order, DisclosureGuard.of(members, candidates, unsafe), candidates) for order in ORDERS]
    best = max(guards, key=lambda guard: len(set(guard.shown.values())))
    for key in candidates:
        if key not in best.shown:
            reasons[key] = "complement"
    return reasons


def _shown_in(
    order: Sequence[tuple[str, ...]], guard: "DisclosureGuard", candidates: Sequence[Key]
) -> "DisclosureGuard":
    """Show as many of the candidates as the guard lets through, family by family; returns the guard."""
    for family in order:
        guard.show([key for key in candidates if _family(key) == family])
    return guard


@dataclass(slots=True)
class DisclosureGuard:
    """What is shown so far, and what can be worked out of it.

    `parts` are the smallest sets of foreign accounts that no cohort to be shown divides, each with the answers of its
    accounts; a cohort is a bit mask of parts. `rows` hold the masks in echelon form modulo a prime. `weights` solve
    them for zero, otherwise at random: a set of parts can be worked out exactly if its weights sum to zero (but for a
    chance of 2⁻⁶¹, which would hide too much, never too little).
    """

    parts: Sequence[Sequence[int]]
    masks: Mapping[Key, int]
    unsafe: Sequence[int]
    shown: dict[Key, int] = field(default_factory=dict)
    rows: list[tuple[int, dict[int, int]]] = field(default_factory=list)

    @classmethod
    def of(cls, members: Sequence[Member], candidates: Sequence[Key], unsafe: Mapping[Key, int]) -> "DisclosureGuard":
        """Nothing shown yet. `unsafe` cohorts come with the number of their foreign accounts: one that is no union of
        parts can never be worked out."""
        by_cell: dict[Cell, list[int]] = {}
        for cell, count, own in members:
            if not own:
                by_cell.setdefault(cell, []).append(count)
        masks = dict.fromkeys([*candidates, *unsafe], 0)
        numbers: dict[tuple[Key, ...], int] = {}
        parts: list[list[int]] = []
        for cell, counts in by_cell.items():
            keys = [key for family in FAMILIES if (key := key_of(cell, family)) in masks]
            signature = tuple(key for key in keys if key not in unsafe)
            number = numbers.setdefault(signature, len(parts))
            if number == len(parts):
                parts.append([])
            parts[number] += counts
            for key in keys:
                masks[key] |= 1 << number
        whole = []
        for key, size in unsafe.items():
            accounts = sum(len(parts[number]) for number in _bits(masks[key]))
            if accounts == size:
                whole.append(masks[key])
        return cls(parts, masks, whole)

    def show(self, keys: Sequence[Key]) -> None:
        """Show as many of these cohorts as is safe, the first first.

        What can be worked out only grows, so a half that is safe as a whole is safe one by one.
        """
        if keys and not self._shown_together(keys) and len(keys) > 1:
            middle = len(keys) // 2
            self.show(keys[:middle])
            self.show(keys[middle:])

    def _shown_together(self, keys: Sequence[Key]) -> bool:
        """Show all of them if that is safe; whether it was."""
        before = dict(self.shown), list(self.rows)
        if all(map(self._add, keys)) and self._keeps():
            return True
        self.shown, self.rows = before
        return False

    def _add(self, key: Key) -> bool:
        """Add a cohort unless a difference that it makes is unsafe; whether it was added."""
        mask = self.masks[key]
        if not self._differences_are_safe(key, mask):
            return False
        row = self._reduced(mask)
        if row is not None:
            self.rows.append(row)
        self.shown[key] = mask
        return True

    def _differences_are_safe(self, key: Key, mask: int) -> bool:
        """Whether nothing unsafe is left of a shown cohort without this one, of this one without a shown part, and of
        either without all shown parts of one split."""
        everything = {**self.shown, key: mask}
        for outer, whole in everything.items():
            if not set(outer) <= set(key):
                continue
            rests: dict[tuple[str, ...], int] = {}
            for inner, part in everything.items():
                if inner == outer or not set(outer) <= set(inner) or key not in (inner, outer):
                    continue
                if self._fault(whole & ~part):
                    return False
                rests[_family(inner)] = whole
            for inner, part in everything.items():
                if _family(inner) in rests:
                    rests[_family(inner)] &= ~part
            if any(map(self._fault, rests.values())):
                return False
        return True

    def _fault(self, mask: int) -> Reason | None:
        answers: list[int] = []
        for number in _bits(mask):
            answers += self.parts[number]
        return fault(answers)

    def _reduced(self, mask: int) -> tuple[int, dict[int, int]] | None:
        """The mask as a further row in echelon form, None when it follows from the rows."""
        row = dict.fromkeys(_bits(mask), 1)
        for pivot, known in self.rows:
            if factor := row.get(pivot):
                for column, value in known.items():
                    row[column] = (row.get(column, 0) - factor * value) % PRIME
        row = {column: value for column, value in row.items() if value}
        if not row:
            return None
        pivot = min(row)
        inverse = pow(row[pivot], -1, PRIME)
        return pivot, {column: value * inverse % PRIME for column, value in row.items()}

    def _weights(self) -> list[int]:
        random = Random(len(self.parts))  # noqa: S311 (no secret: any numbers do that have no pattern)
        weights = [random.randrange(1, PRIME) for _ in self.parts]
        for pivot, row in reversed(self.rows):
            others = 0
            for column, value in row.items():
                if column != pivot:
                    others += value * weights[column]
            weights[pivot] = -others % PRIME
        return weights

    def _keeps(self) -> bool:
        """Whether nothing unsafe can be worked out of what is shown."""
        light = [number for number, part in enumerate(self.parts) if 0 < len(part) < LEAST_ACCOUNTS]
        if len(light) > MOST_LIGHT:
            return self._divides_nothing()
        weights = self._weights()
        for mask in self.unsafe:
            if sum(weights[number] for number in _bits(mask)) % PRIME == 0:
                return False
        return not adds_up_to_nothing([(weights[number], len(self.parts[number])) for number in light])

    def _divides_nothing(self) -> bool:
        """Whether whatever lies in the same shown cohorts is safe by itself: then so is everything made of it."""
        together: dict[int, list[int]] = {}
        signatures = [0] * len(self.parts)
        for bit, mask in enumerate(self.shown.values()):
            for number in _bits(mask):
                signatures[number] |= 1 << bit
        for signature, part in zip(signatures, self.parts, strict=True):
            together.setdefault(signature, []).extend(part)
        together.pop(0, None)  # in no shown cohort
        return not any(map(fault, together.values()))


def adds_up_to_nothing(light: Sequence[tuple[int, int]]) -> bool:
    """Whether some of these (weight, accounts), together fewer than five accounts, have weights that sum to zero."""
    pairs = {
        (weight + other) % PRIME
        for (weight, count), (other, further) in combinations(light, 2)
        if count + further < LEAST_ACCOUNTS
    }
    single = {weight for weight, _ in light}
    if 0 in single or 0 in pairs:
        return True
    if pairs.isdisjoint(-total % PRIME for total in single | pairs):
        return False
    return _found_apart(light)


def _found_apart(light: Sequence[tuple[int, int]]) -> bool:
    """Whether three or four different items, together fewer than five accounts, have weights that sum to zero."""
    pairs: dict[int, list[tuple[int, int, int]]] = {}
    for first, (weight, count) in enumerate(light):
        for second in range(first + 1, len(light)):
            if (together := count + light[second][1]) < LEAST_ACCOUNTS:
                pairs.setdefault((weight + light[second][0]) % PRIME, []).append((first, second, together))
    for third, (weight, count) in enumerate(light):
        for first, second, together in pairs.get(-weight % PRIME, ()):
            if third not in (first, second) and together + count < LEAST_ACCOUNTS:
                return True
    for total, matches in pairs.items():
        for (first, second, count), (third, fourth, further) in product(matches, pairs.get(-total % PRIME, ())):
            if not {first, second} & {third, fourth} and count + further < LEAST_ACCOUNTS:
                return True
    return False


def _family(key: Key) -> tuple[str, ...]:
    """What the cohort is split by."""
    return tuple(name for name, _ in key)


def _bits(mask: int) -> list[int]:
    """The numbers of the bits that are set."""
    numbers = []
    while mask:
        low = mask & -mask
        numbers.append(low.bit_length() - 1)
        mask ^= low
    return numbers
