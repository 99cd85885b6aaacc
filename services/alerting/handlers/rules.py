"""The rules in force, and the shipped ones put in place."""

from dataclasses import replace

from services.alerting.domain.default_rules import DEFAULT_RULES
from services.alerting.domain.rules import Rule
from services.alerting.store.rules import add_versions, current_rows, current_rules, current_versions
from shared.clock import Clock
from shared.db.transaction import WriteTx

SHIPPED = "tellback"
"""The author of the versions of rules that come with the product."""


class RuleCache:
    """The rules in force as they were read last: a version of a rule never changes."""

    def __init__(self) -> None:
        self._versions: frozenset[tuple[str, int]] = frozenset()
        self._rules: tuple[Rule, ...] = ()

    async def in_force(self, tx: WriteTx, clock: Clock) -> tuple[Rule, ...]:
        """What `rules_in_force` says; the rules are read only if there are others since."""
        versions = await current_versions(tx)
        if versions and versions == self._versions:
            return self._rules
        rules = tuple(await rules_in_force(tx, clock))

        def keep() -> None:
            self._versions, self._rules = frozenset((rule.rule_id, rule.version) for rule in rules), rules

        tx.after_commit(keep)
        return rules


async def rules_in_force(tx: WriteTx, clock: Clock) -> list[Rule]:
    """The rules; an empty table gets the shipped ones first, so that rules are never missing from an evaluation."""
    rules = await current_rules(tx)
    if not rules:
        await install_default_rules(tx, clock)
        rules = await current_rules(tx)
    return rules


async def install_default_rules(tx: WriteTx, clock: Clock) -> None:
    """Put the shipped rules in place: one that is missing is added, one that nobody edited follows a newer release.

    What was edited by hand stays as it is.
    """
    current = {rule.rule_id: rule for rule in await current_rules(tx)}
    edited = {row["rule_id"] for row in await current_rows(tx) if row["created_by"] != SHIPPED}
    versions = []
    for rule in DEFAULT_RULES:
        in_force = current.get(rule.rule_id)
        if in_force is None:
            versions.append(rule)
        elif rule.rule_id not in edited and replace(in_force, version=rule.version) != rule:
            versions.append(replace(rule, version=in_force.version + 1))
    await add_versions(tx, versions, clock.now(), SHIPPED)
