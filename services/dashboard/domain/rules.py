"""A rule as the fields of a form, and back: the changes are the fields that differ."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
EDITABLE = ("label", "severity", "due", "recipient", "informs", "reason", "playbook", "conditions", "escalation")
"""The fields that the page can change; another event, kind or place in the order would make another rule."""
CONDITION, STEP = "condition", "step"
EVENTS = {
    "stakeholder.answered": "Somebody answered",
    "account_score.dropped": "Score of an account dropped",
    "account_class.changed": "Class of an account changed",
    "stakeholder.went_silent": "Somebody fell silent",
    "invitation.bounced": "Invitation bounced",
    "account.renewal_near": "Renewal comes near",
    "segment.dropped": "Segment got worse",
}
"""What a rule waits for."""
FACTS = {
    "survey_type": "survey",
    "nps_kind": "kind of NPS",
    "follow_up_requested": "asked for a call",
    "stakeholder_type": "role",
    "days": "days of silence",
    "furthest": "came as far as",
    "points": "points lost",
    "account_class": "class",
    "previous_class": "class before",
    "known_days": "days since the first answer",
    "burst": "detractors at the account in a short time",
    "channel": "way of asking",
    "decision_maker_days": "days without a decision-maker’s answer",
    "segment_by": "segments by",
    "share": "per cent of detractors",
    "share_before": "per cent of detractors before",
    "rise": "points more detractors",
    "voices": "respondents",
    "z": "standard errors beyond chance",
}
"""What a rule looks at, where the name of the field says too little."""


def fact(field: str) -> str:
    """The name of a field that a rule looks at, in words."""
    return FACTS.get(field, field.replace("_", " "))


def condition_name(field: str, operator: str) -> str:
    """The name of a condition's field in the form."""
    return f"{CONDITION}:{field}:{operator}"


def condition_text(value: Any) -> str:
    """A condition's value as it is typed: numbers, comma-separated words, yes or no."""
    if isinstance(value, list):
        return ", ".join(map(condition_text, value))
    if isinstance(value, bool):
        if value:
            return "yes"
        return "no"
    return str(value)


def condition_value(operator: str, text: str) -> Any:
    """The inverse of `condition_text`."""
    if operator == "in":
        return [_word(word.strip()) for word in text.split(",") if word.strip()]
    return _word(text.strip())


def _word(text: str) -> Any:
    if text in ("yes", "no"):
        return text == "yes"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def changes(rule: Mapping[str, Any], form: Mapping[str, Any], steps: int) -> Json:
    """The fields of `rule` for which the form has other values. A condition, or one of the `steps` of escalation, that
    was emptied is left out."""
    wanted: Json = {name: str(form.get(name, "")) for name in ("label", "reason", "playbook")}
    wanted |= {name: form[name] for name in ("severity", "recipient")}
    wanted["due"] = {"amount": _amount(form.get("due_amount")), "unit": form["due_unit"]}
    wanted["informs"] = list(form.get("informs", ()))
    wanted["conditions"] = _conditions(form)
    wanted["escalation"] = [_step(form, number) for number in range(steps) if form.get(f"{STEP}:{number}:amount")]
    return {name: wanted[name] for name in EDITABLE if wanted[name] != rule[name]}


def _conditions(form: Mapping[str, Any]) -> Json:
    conditions: Json = {}
    for name, text in form.items():
        kind, _, comparison = name.partition(":")
        field, _, operator = comparison.partition(":")
        if kind == CONDITION and field:
            conditions.setdefault(field, {})[operator] = condition_value(operator, str(text))
    if form.get("new_field") and form.get("new_value"):
        operator = str(form["new_operator"])
        conditions.setdefault(str(form["new_field"]), {})[operator] = condition_value(operator, str(form["new_value"]))
    return conditions


def _step(form: Mapping[str, Any], number: int) -> Json:
    name = f"{STEP}:{number}"
    after = {"amount": _amount(form.get(f"{name}:amount")), "unit": form[f"{name}:unit"]}
    return {"after": after, "to": form[f"{name}:to"]}


def _amount(text: Any) -> Any:
    """The typed number; other text is passed on unchanged, for the service to refuse."""
    try:
        return int(str(text))
    except ValueError:
        return text


def differences(newer: Mapping[str, Any], older: Mapping[str, Any] | None) -> list[str]:
    """The names of the fields that a version changed."""
    if older is None:
        return []
    names = (*EDITABLE, "enabled", "event", "kind", "position", "inhibited_by", "inhibited_within", "growth")
    return [name for name in names if newer[name] != older[name]]
