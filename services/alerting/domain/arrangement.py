"""Which reasons become follow-ups of their own, and which a stronger one takes in. By the facts alone: whatever came
first, the same reasons give the same follow-ups.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.alerting.domain.default_rules import DETRACTOR
from services.alerting.domain.occasions import Occasion, Reason
from services.alerting.domain.rules import Rule
from services.alerting.domain.severity import Severity, rank, severity_at
from services.alerting.domain.wording import reasons_of

Rest = tuple[str, str | None, str]
"""What a follow-up rests on: a kind, a person, None for the account itself, and an occasion."""
Key = tuple[str | None, str]
"""A person, None for the account itself, and a kind: at most one follow-up of it is open."""


@dataclass(frozen=True, slots=True)
class Held:
    """An occasion under the strongest rule of its kind that holds on it; `others` hold as well."""

    occasion: Occasion
    rule: Rule
    severity: Severity
    said: tuple[str, ...]
    others: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """What one follow-up says: its kind, whom it is about, and every occasion of it, oldest first."""

    stakeholder_id: str | None
    kind: str
    held: tuple[Held, ...]

    @property
    def key(self) -> Key:
        """Whose and of which kind it is."""
        return self.stakeholder_id, self.kind

    @property
    def newest(self) -> Held:
        """What speaks for it: title, score and response are those of the newest occasion."""
        return self.held[-1]

    @property
    def severity(self) -> Severity:
        """That of the worst occasion."""
        return min((held.severity for held in self.held), key=rank)

    @property
    def members(self) -> frozenset[str]:
        """The people whom it takes together."""
        return frozenset[str]().union(*(held.occasion.members for held in self.held))

    @property
    def rests(self) -> frozenset[Rest]:
        """All that it rests on."""
        return frozenset(self.rest_of(held) for held in self.held)

    def rest_of(self, held: Held) -> Rest:
        """The name of an occasion of it."""
        return self.kind, self.stakeholder_id, held.occasion.id


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The claims that stand by themselves with those that each takes in, and who takes in whom."""

    standing: Mapping[Key, Claim]
    taken_in: Mapping[Key, tuple[Claim, ...]]
    host_of: Mapping[Key, Key]


def claims_of(reasons: Iterable[Reason], tier: str | None) -> list[Claim]:
    """The reasons of each kind about each person as one claim: rules of a kind are rows of one family. A premium
    account raises severity by one step.
    """
    found: dict[Key, dict[str, list[tuple[Occasion, Rule]]]] = {}
    for reason in reasons:
        of_kind = found.setdefault((reason.stakeholder_id, reason.rule.kind), {})
        for occasion in reason.occasions:
            of_kind.setdefault(occasion.id, []).append((occasion, reason.rule))
    claims = []
    for (stakeholder_id, kind), by_id in found.items():
        held = [_held(matches, tier) for matches in by_id.values()]
        held.sort(key=lambda one: one.occasion.order)
        claims.append(Claim(stakeholder_id, kind, tuple(held)))
    return claims


def arrange(claims: Sequence[Claim]) -> Arrangement:
    """Who stands and who is taken in, through as many hands as it needs: what is taken in goes with its host into the
    host's host. Of those that would take in each other the strongest stands.
    """
    by_strength = sorted(claims, key=_strength)
    hosts = {
        claim.key: [other for other in by_strength if other is not claim and _takes_in(other, claim)]
        for claim in by_strength
    }
    roots: dict[Key, Claim] = {}

    def root_of(claim: Claim, visiting: frozenset[Key]) -> Claim:
        if claim.key not in roots:
            seen = visiting | {claim.key}
            host = next((other for other in hosts[claim.key] if other.key not in seen), None)
            roots[claim.key] = claim if host is None else root_of(host, seen)
        return roots[claim.key]

    for claim in reversed(by_strength):
        root_of(claim, frozenset())
    host_of = {key: root.key for key, root in roots.items() if root.key != key}
    taken: dict[Key, tuple[Claim, ...]] = {}
    for claim in by_strength:
        if claim.key in host_of:
            host = host_of[claim.key]
            taken[host] = (*taken.get(host, ()), claim)
    standing = {claim.key: claim for claim in by_strength if claim.key not in host_of}
    return Arrangement(standing, taken, host_of)


def _takes_in(host: Claim, claim: Claim) -> bool:
    """Whether a claim is that of a kind by which the other's rules say that they stand back, or the burst of its
    people.
    """
    if claim.kind == DETRACTOR and claim.stakeholder_id in host.members:
        return True
    rules = {held.rule.rule_id: held.rule for held in claim.held}.values()
    return any(
        host.kind in rule.inhibited_by
        and (claim.stakeholder_id in (None, host.stakeholder_id) or rule.inhibited_within == "account")
        for rule in rules
    )


def _strength(claim: Claim) -> tuple[int, int, str, str]:
    position = min(held.rule.position for held in claim.held)
    return rank(claim.severity), position, claim.kind, claim.stakeholder_id or ""


def _held(matches: Sequence[tuple[Occasion, Rule]], tier: str | None) -> Held:
    matches = sorted(matches, key=lambda match: (rank(severity_at(tier, match[1].severity)), match[1].position))
    occasion, rule = matches[0]
    severity = severity_at(tier, rule.severity)
    said = reasons_of(rule, severity, occasion.values, occasion.dates)
    return Held(occasion, rule, severity, said, tuple(other for _, other in matches[1:]))
