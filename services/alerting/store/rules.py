"""The rules as rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import RowMapping
from sqlalchemy.dialects.postgresql import insert

from services.alerting.domain.rules import (
    Rule,
    conditions_document,
    conditions_from,
    escalation_document,
    escalation_from,
)
from services.alerting.tables.metadata import columns_of
from services.alerting.tables.rules import RULES
from shared.calendar import Due, DueUnit
from shared.db.transaction import ReadTx, WriteTx

_COLUMNS = columns_of(RULES)
_CURRENT = f"select distinct on (rule_id) {_COLUMNS} from rules order by rule_id, version desc"


async def current_rules(tx: ReadTx) -> list[Rule]:
    """The rules in force, in the table's order."""
    return sorted(map(_rule, await tx.all(_CURRENT)), key=lambda rule: rule.position)


async def current_versions(tx: ReadTx) -> frozenset[tuple[str, int]]:
    """The rules in force as (rule_id, version)."""
    rows = await tx.rows("select rule_id, max(version) from rules group by rule_id")
    return frozenset((rule_id, version) for rule_id, version in rows)


async def current_rows(tx: ReadTx) -> list[dict[str, Any]]:
    """The rules in force with who made them and when, in the table's order."""
    rows = await tx.all(f"select * from ({_CURRENT}) as current order by position, rule_id")
    return [dict(row) for row in rows]


async def versions_of(tx: ReadTx, rule_id: str) -> list[dict[str, Any]]:
    """Every version of a rule, the newest first."""
    rows = await tx.all(f"select {_COLUMNS} from rules where rule_id = :rule_id order by version desc", rule_id=rule_id)
    return [dict(row) for row in rows]


async def hold_rules(tx: WriteTx) -> None:
    """Let nobody else change rules until the end of the transaction; they may be read."""
    await tx.execute("lock table rules in share row exclusive mode")


async def add_versions(tx: WriteTx, rules: Sequence[Rule], at: datetime, by: str) -> None:
    """Store new versions; one that is there already stays."""
    rows = [_row(rule) | {"created_at": at, "created_by": by} for rule in rules]
    await tx.execute_many(insert(RULES).on_conflict_do_nothing(), rows)


def _row(rule: Rule) -> dict[str, Any]:
    return {
        "rule_id": rule.rule_id,
        "version": rule.version,
        "position": rule.position,
        "kind": rule.kind,
        "label": rule.label,
        "event": rule.event,
        "conditions": conditions_document(rule.conditions),
        "severity": rule.severity,
        "due_amount": rule.due.amount,
        "due_unit": rule.due.unit,
        "recipient": rule.recipient,
        "informs": list(rule.informs),
        "reason": rule.reason,
        "playbook": rule.playbook,
        "inhibited_by": list(rule.inhibited_by),
        "inhibited_within": rule.inhibited_within,
        "escalation": escalation_document(rule.escalation),
        "closes_on_answer": rule.closes_on_answer,
        "growth": rule.growth,
        "enabled": rule.enabled,
        "about": rule.about,
    }


def _rule(row: RowMapping) -> Rule:
    return Rule(
        rule_id=row["rule_id"],
        version=row["version"],
        position=row["position"],
        kind=row["kind"],
        label=row["label"],
        event=row["event"],
        conditions=conditions_from(row["conditions"]),
        severity=row["severity"],
        due=Due(row["due_amount"], cast(DueUnit, row["due_unit"])),
        recipient=row["recipient"],
        informs=tuple(row["informs"]),
        reason=row["reason"],
        playbook=row["playbook"],
        inhibited_by=tuple(row["inhibited_by"]),
        inhibited_within=row["inhibited_within"],
        escalation=escalation_from(row["escalation"]),
        closes_on_answer=row["closes_on_answer"],
        growth=row["growth"],
        enabled=row["enabled"],
        about=row["about"],
    )
