"""Records of the directory as forms: which fields a form has, the texts in them, and the change that they make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from services.dashboard.domain.wording import TYPE_NAMES

Json = dict[str, Any]
TIERS = {"premium": "Premium", "key": "Key", "small": "Small"}
PERMISSIONS = {"unknown": "Not known", "granted": "Yes", "refused": "No"}
NOT_SAID = {"": "–"}


@dataclass(frozen=True, slots=True)
class FormField:
    """A field: its path in the record (`owner.email`), its label, the type of its input, and what may be chosen.
    `many`: a list, written with commas."""

    name: str
    label: str
    kind: str = "text"
    options: Mapping[str, str] = field(default_factory=dict)
    many: bool = False


ACCOUNT_FIELDS: Final[Sequence[FormField]] = (
    FormField("name", "Name"),
    FormField("owner.name", "Owner"),
    FormField("owner.email", "E-mail of the owner", "email"),
    FormField("sponsor.name", "Sponsor on our side"),
    FormField("sponsor.email", "E-mail of the sponsor", "email"),
    FormField("tier", "Tier", options=NOT_SAID | TIERS),
    FormField("industry", "Industry"),
    FormField("region", "Region"),
    FormField("annual_revenue.amount", "Revenue a year"),
    FormField("annual_revenue.currency", "Its currency (such as EUR)"),
    FormField("customer_since", "Customer since", "date"),
    FormField("renewal_on", "Renews on", "date"),
    FormField("closed_on", "No client any more since", "date"),
    FormField("products", "Products, with commas between them", many=True),
    FormField("parent_account_id", "Id of the parent account"),
    FormField("domains", "Domains of their addresses, with commas between them", many=True),
    FormField("language", "Language (such as de)"),
    FormField("time_zone", "Time zone (such as Europe/Berlin)"),
    FormField("do_not_ask.reason", "Why nobody there is to be asked; empty: they may be asked"),
    FormField("do_not_ask.until", "Not to be asked until; empty: until this is taken back", "date"),
)
PERSON_FIELDS: Final[Sequence[FormField]] = (
    FormField("name", "Name"),
    FormField("email", "E-mail", "email"),
    FormField("type", "Role", options=NOT_SAID | dict(TYPE_NAMES)),
    FormField("job_title", "Job title"),
    FormField("job_level", "Job level"),
    FormField("job_function", "Function"),
    FormField("location", "Location"),
    FormField("language", "Language (such as de)"),
    FormField("time_zone", "Time zone (such as Europe/Berlin)"),
    FormField("mail_permission", "May be asked by mail", options=PERMISSIONS),
)
FIELD_LABELS: Final[Mapping[str, str]] = {
    form_field.name: form_field.label for form_field in (*ACCOUNT_FIELDS, *PERSON_FIELDS)
}


def with_options(fields: Sequence[FormField], name: str, options: Mapping[str, str]) -> Sequence[FormField]:
    """The fields, with what may be chosen in one of them."""
    offered = []
    for form_field in fields:
        if form_field.name == name:
            offered.append(replace(form_field, options=NOT_SAID | dict(options)))
        else:
            offered.append(form_field)
    return tuple(offered)


def texts_of(fields: Sequence[FormField], record: Mapping[str, Any]) -> dict[str, str]:
    """Field → the text in it, empty where the record says nothing."""
    texts = {}
    for form_field in fields:
        value: Any = record
        for part in form_field.name.split("."):
            value = (value or {}).get(part)
        if form_field.many:
            value = ", ".join(value or ())
        texts[form_field.name] = _text(value)
    return texts


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:f}".rstrip("0").rstrip(".")
    return str(value)


def change_of(fields: Sequence[FormField], before: Mapping[str, str], after: Mapping[str, str]) -> Json:
    """The merge (RFC 7396) that makes the one of the other: only what differs, null for what is emptied. Of an amount
    with its currency, a contact or a do-not-ask that is emptied whole the whole is null."""
    change: Json = {}
    for form_field in fields:
        text = after.get(form_field.name, "").strip()
        if text == before.get(form_field.name, ""):
            continue
        outer, _, inner = form_field.name.partition(".")
        if not inner:
            change[outer] = _value(form_field, text)
        elif _is_empty(fields, outer, after):
            change[outer] = None
        else:
            change.setdefault(outer, {})[inner] = _value(form_field, text)
    return change


def _value(form_field: FormField, text: str) -> Any:
    if form_field.many:
        return list(filter(None, map(str.strip, text.split(","))))
    return text or None


def _is_empty(fields: Sequence[FormField], outer: str, after: Mapping[str, str]) -> bool:
    """Whether nothing is left of a member that has members."""
    inner = (form_field.name for form_field in fields if form_field.name.startswith(f"{outer}."))
    return not any(after.get(name, "").strip() for name in inner)


def merged(
    fields: Sequence[FormField], before: Mapping[str, str], typed: Mapping[str, str], now: Mapping[str, str]
) -> dict[str, str]:
    """What was typed over what stands by now: fields that were left as they were follow."""
    texts = {}
    for form_field in fields:
        name = form_field.name
        text = typed.get(name, "").strip()
        if text == before.get(name, ""):
            text = now.get(name, "")
        texts[name] = text
    return texts


def differences(fields: Sequence[FormField], before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What somebody else has changed, in words."""
    words = []
    for form_field in fields:
        if before.get(form_field.name, "") != now.get(form_field.name, ""):
            shown = now.get(form_field.name, "") or "empty"
            words.append(f"{form_field.label} is now {form_field.options.get(shown, shown)}")
    return words
