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
    """An occasion under the strongest rule of its kind that holds on it, with the sentences of that rule; `weaker` are
    the rules of the kind that hold as well.
    """

    occasion: Occasion
    rule: Rule
    severity: Severity
    reasons: tuple[str, ...]
    weaker: tuple[Rule, ...] = ()


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
        """The newest occasion: the follow-up shows its title, score and response."""
        return self.held[-1]

    @property
    def severity(self) -> Severity:
        """The severity of the worst occasion."""
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
    matches_by_key: dict[Key, dict[str, list[tuple[Occasion, Rule]]]] = {}
    for reason in reasons:
        of_key = matches_by_key.setdefault((reason.stakeholder_id, reason.rule.kind), {})
        for occasion in reason.occasions:
            of_key.setdefault(occasion.id, []).append((occasion, reason.rule))
    claims = []
    for (stakeholder_id, kind), by_id in matches_by_key.items():
        held = [_held(matches, tier) for matches in by_id.values()]
        held.sort(key=lambda match: match.occasion.order)
        claims.append(Claim(stakeholder_id, kind, tuple(held)))
    return claims


def arrange(claims: Sequence[Claim]) -> Arrangement:
    """Which claims stand and which are taken in. A host may be taken in itself: then its host takes in all of it. Of
    claims that would take in each other the strongest stands.
    """
    by_strength = sorted(claims, key=_strength)
    hosts: dict[Key, list[Claim]] = {}
    for claim in by_strength:
        hosts[claim.key] = [host for host in by_strength if host is not claim and _takes_in(host, claim)]
    roots: dict[Key, Claim] = {}

    def root_of(claim: Claim, visiting: frozenset[Key]) -> Claim:
        """The claim that stands in the end for this one; a cycle of hosts ends at the keys being visited."""
        if claim.key not in roots:
            roots[claim.key] = claim
            seen = visiting | {claim.key}
            for host in hosts[claim.key]:
                if host.key not in seen:
                    roots[claim.key] = root_of(host, seen)
                    break
        return roots[claim.key]

    for claim in reversed(by_strength):
        root_of(claim, frozenset())
    host_of = {key: root.key for key, root in roots.items() if root.key != key}
    standing: dict[Key, Claim] = {}
    taken_in: dict[Key, tuple[Claim, ...]] = {}
    for claim in by_strength:
        if claim.key in host_of:
            host_key = host_of[claim.key]
            taken_in[host_key] = (*taken_in.get(host_key, ()), claim)
        else:
            standing[claim.key] = claim
    return Arrangement(standing, taken_in, host_of)


def _takes_in(host: Claim, claim: Claim) -> bool:
    """Whether `host` takes in `claim`: a rule of the claim names the host's kind in `inhibited_by`, or the host is the
    burst of detractors that the claim's person belongs to.
    """
    if claim.kind == DETRACTOR and claim.stakeholder_id in host.members:
        return True
    same_subject = claim.stakeholder_id in (None, host.stakeholder_id)
    for held in claim.held:
        within_reach = same_subject or held.rule.inhibited_within == "account"
        if within_reach and host.kind in held.rule.inhibited_by:
            return True
    return False


def _strength(claim: Claim) -> tuple[int, int, str, str]:
    position = min(held.rule.position for held in claim.held)
    return rank(claim.severity), position, claim.kind, claim.stakeholder_id or ""


def _held(matches: Sequence[tuple[Occasion, Rule]], tier: str | None) -> Held:
    matches = sorted(matches, key=lambda match: (rank(severity_at(tier, match[1].severity)), match[1].position))
    occasion, rule = matches[0]
    severity = severity_at(tier, rule.severity)
    reasons = reasons_of(rule, severity, occasion.values, occasion.dates)
    weaker = tuple(rule for _, rule in matches[1:])
    return Held(occasion, rule, severity, reasons, weaker)
