"""Which reasons become follow-ups of their own, and which a stronger follow-up takes in. The same reasons give the same
follow-ups, in whatever order events came.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.alerting.domain.default_rules import DETRACTOR
from services.alerting.domain.occasions import Occasion, Reason
from services.alerting.domain.rules import Rule
from services.alerting.domain.severity import Severity, rank, severity_at
from services.alerting.domain.wording import reasons_of

OccasionKey = tuple[str, str | None, str]
"""What a follow-up rests on: a kind, a person, None for the account itself, and an occasion."""
TaskKey = tuple[str | None, str]
"""A person, None for the account itself, and a kind: at most one follow-up of it is open."""


@dataclass(frozen=True, slots=True)
class MatchedOccasion:
    """An occasion under the strongest rule of its kind that holds on it, with the sentences of that rule; `weaker` are
    the rules of the kind that hold as well.
    """

    occasion: Occasion
    rule: Rule
    severity: Severity
    reasons: tuple[str, ...]
    weaker: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class DesiredTask:
    """A follow-up as the rules want it: its kind, whom it is about, and its occasions, oldest first."""

    stakeholder_id: str | None
    kind: str
    occasions: tuple[MatchedOccasion, ...]

    @property
    def key(self) -> TaskKey:
        """The person and the kind."""
        return self.stakeholder_id, self.kind

    @property
    def newest(self) -> MatchedOccasion:
        """The newest occasion: the follow-up shows its title, score and response."""
        return self.occasions[-1]

    @property
    def severity(self) -> Severity:
        """The severity of the worst occasion."""
        return min((matched.severity for matched in self.occasions), key=rank)

    @property
    def members(self) -> frozenset[str]:
        """The people whom its occasions are about together, as in a burst."""
        return frozenset[str]().union(*(matched.occasion.members for matched in self.occasions))

    @property
    def occasion_keys(self) -> frozenset[OccasionKey]:
        """The keys of all its occasions."""
        return frozenset(self.occasion_key(matched) for matched in self.occasions)

    def occasion_key(self, matched: MatchedOccasion) -> OccasionKey:
        """The key of one of its occasions."""
        return self.kind, self.stakeholder_id, matched.occasion.id


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The follow-ups that are opened, those that each of them takes in, and by which host each of these is taken in."""

    standing: Mapping[TaskKey, DesiredTask]
    taken_in: Mapping[TaskKey, tuple[DesiredTask, ...]]
    host_of: Mapping[TaskKey, TaskKey]


def desired_tasks_of(reasons: Iterable[Reason], tier: str | None) -> list[DesiredTask]:
    """One desired follow-up for each kind and person, from the reasons of all rules of the kind. A premium account
    raises severity by one step.
    """
    matches_by_key: dict[TaskKey, dict[str, list[tuple[Occasion, Rule]]]] = {}
    for reason in reasons:
        of_key = matches_by_key.setdefault((reason.stakeholder_id, reason.rule.kind), {})
        for occasion in reason.occasions:
            of_key.setdefault(occasion.id, []).append((occasion, reason.rule))
    desired_tasks = []
    for (stakeholder_id, kind), by_id in matches_by_key.items():
        matched = [_matched(matches, tier) for matches in by_id.values()]
        matched.sort(key=lambda match: match.occasion.order)
        desired_tasks.append(DesiredTask(stakeholder_id, kind, tuple(matched)))
    return desired_tasks


def arrange(desired_tasks: Sequence[DesiredTask]) -> Arrangement:
    """Which desired follow-ups are opened and which are taken in. A host may be taken in itself: then its host takes in
    all of it. Of two that would take in each other the stronger is opened.
    """
    by_strength = sorted(desired_tasks, key=_strength)
    hosts: dict[TaskKey, list[DesiredTask]] = {}
    for desired in by_strength:
        hosts[desired.key] = [host for host in by_strength if host is not desired and _takes_in(host, desired)]
    roots: dict[TaskKey, DesiredTask] = {}

    def root_of(desired: DesiredTask, visiting: frozenset[TaskKey]) -> DesiredTask:
        """The host at the end of the chain of hosts; a cycle ends at the keys being visited."""
        if desired.key not in roots:
            roots[desired.key] = desired
            seen = visiting | {desired.key}
            for host in hosts[desired.key]:
                if host.key not in seen:
                    roots[desired.key] = root_of(host, seen)
                    break
        return roots[desired.key]

    for desired in reversed(by_strength):
        root_of(desired, frozenset())
    host_of = {key: root.key for key, root in roots.items() if root.key != key}
    standing: dict[TaskKey, DesiredTask] = {}
    taken_in: dict[TaskKey, tuple[DesiredTask, ...]] = {}
    for desired in by_strength:
        if desired.key in host_of:
            host_key = host_of[desired.key]
            taken_in[host_key] = (*taken_in.get(host_key, ()), desired)
        else:
            standing[desired.key] = desired
    return Arrangement(standing, taken_in, host_of)


def _takes_in(host: DesiredTask, desired: DesiredTask) -> bool:
    """Whether `host` takes in `desired`: a rule of `desired` names the host's kind in `inhibited_by`, or the host is
    the burst of detractors that the person belongs to.
    """
    if desired.kind == DETRACTOR and desired.stakeholder_id in host.members:
        return True
    same_subject = desired.stakeholder_id in (None, host.stakeholder_id)
    for matched in desired.occasions:
        within_reach = same_subject or matched.rule.inhibited_within == "account"
        if within_reach and host.kind in matched.rule.inhibited_by:
            return True
    return False


def _strength(desired: DesiredTask) -> tuple[int, int, str, str]:
    position = min(matched.rule.position for matched in desired.occasions)
    return rank(desired.severity), position, desired.kind, desired.stakeholder_id or ""


def _matched(matches: Sequence[tuple[Occasion, Rule]], tier: str | None) -> MatchedOccasion:
    matches = sorted(matches, key=lambda match: (rank(severity_at(tier, match[1].severity)), match[1].position))
    occasion, rule = matches[0]
    severity = severity_at(tier, rule.severity)
    reasons = reasons_of(rule, severity, occasion.values, occasion.dates)
    weaker = tuple(rule for _, rule in matches[1:])
    return MatchedOccasion(occasion, rule, severity, reasons, weaker)
