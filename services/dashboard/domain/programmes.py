"""Programmes in words, and as the fields of a form and back: which survey, whom, when, by whom, how often at most."""

from collections.abc import Mapping
from typing import Any, Final

from services.dashboard.domain import wording

Json = dict[str, Any]
STATES: Final[Mapping[str, str]] = {
    "draft": "○ draft",
    "running": "● running",
    "paused": "◐ paused",
    "ended": "■ ended",
}
OBJECTIVES: Final[Mapping[str, str]] = {
    "perception": "How customers see us",
    "retention": "Keeping customers",
    "growth": "Growing with customers",
    "referrals": "Being recommended",
}
WHENS: Final[Mapping[str, str]] = {
    "cadence": "Again and again",
    "event": "After something happens",
    "once": "Once, in one week",
    "renewal": "Before the renewal",
}
EVENTS: Final[Mapping[str, str]] = {
    "order_delivered": "an order was delivered",
    "issue_resolved": "a problem was solved",
    "project_completed": "a project was completed",
    "signed_up": "a customer signed up",
    "integrated": "the integration was finished",
    "feature_released": "a feature was released",
    "purchased": "something was bought",
    "contract_ended": "a contract ended",
}
WHOM: Final[Mapping[str, str]] = {
    "person": "The person of the event",
    "audience": "The people of its account, as chosen under Whom",
}
SENDERS: Final[Mapping[str, str]] = {
    "owner": "The owner of the account",
    "sponsor": "The sponsor of the account",
    "named": "Always the person named here",
}
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_NAMES: Final[Mapping[str, str]] = {str(number): name for number, name in enumerate(WEEKDAYS)}
CLOCK: Final[Mapping[str, str]] = {str(hour): f"{hour}:00" for hour in range(25)}
WHO_LABELS: Final[Mapping[str, str]] = {
    "type": "Role",
    "tier": "Tier",
    "industry": "Industry",
    "region": "Region",
    "owner": "Owner’s e-mail",
    "job_level": "Job level",
    "job_function": "Function",
    "location": "Location",
    "attributes": "Own attributes, as plan=gold, several with commas",
    "account_id": "One account’s id",
}
LABELS: Final[Mapping[str, str]] = {
    **WHO_LABELS,
    "name": "Name",
    "survey_id": "Survey",
    "objective": "What it is for",
    "users_days": "Everybody again after so many days",
    "decision_makers_days": "Decision-makers again after so many days",
    "kind": "What happens",
    "after_days": "Days after it",
    "whom": "Who is asked",
    "repeat_days": "Again after so many days; empty: once",
    "until": "Until this happens",
    "on": "A day of the week in which it asks",
    "days_before": "Days before the renewal",
    "not_before_days": "Nobody who is a customer for fewer days than",
    "days": "Days on which mails go",
    "first_days": "Preferred among them",
    "opens": "Not before",
    "closes": "Not after",
    "open_days": "Days for which the link takes an answer",
    "reminders": "Reminders",
    "sender": "Sender",
    "email": "Sender’s e-mail",
    "reply_to": "Replies go to; empty: to the sender",
    "programme": "Mails a day, at most",
    "account": "Mails a day to one account, at most",
    "incentive": "What everybody gets who answers, whatever they say",
    "legal_basis": "Why you may write; it stands in each mail",
}


def when_words(when: Json) -> str:
    """When it asks, as a sentence without its stop."""
    if when["type"] == "cadence":
        often = f"Every {wording.count(when['users_days'], 'day')}"
        if when["decision_makers_days"] != when["users_days"]:
            often += f", decision-makers every {wording.count(when['decision_makers_days'], 'day')}"
        return often
    if when["type"] == "once":
        return "Once, in one week"
    if when["type"] == "renewal":
        return f"{wording.count(when['days_before'], 'day')} before the renewal"
    return _event_words(when)


def _event_words(when: Json) -> str:
    words = f"As soon as {event_name(when['kind'])}"
    if when["after_days"]:
        words = f"{wording.count(when['after_days'], 'day')} after {event_name(when['kind'])}"
    if when["only_first"]:
        words += ", the first time only"
    if when["repeat_days"]:
        words += f", again every {wording.count(when['repeat_days'], 'day')}"
    if when["until"]:
        words += f" until {event_name(when['until'])}"
    return words


def event_name(kind: str) -> str:
    """A context event as words."""
    return EVENTS.get(kind, kind.replace("_", " "))


def who_words(who: Json) -> str:
    """Whom it asks."""
    parts = []
    for name, label in WHO_LABELS.items():
        value = who.get(name)
        if value and name == "attributes":
            parts.append(f"with {attribute_words(value)}")
        elif value:
            if name == "type":
                value = wording.TYPE_NAMES.get(value, value)
            elif name == "tier":
                value = wording.plain(value)
            parts.append(f"{label.lower()}: {value}")
    if who.get("not_before_days"):
        parts.append(f"customers for {wording.count(who['not_before_days'], 'day')} or longer")
    if not parts:
        return "Everybody in the directory"
    words = "; ".join(parts)
    return words[:1].upper() + words[1:]


def attribute_words(attributes: Mapping[str, str]) -> str:
    """Own attributes as they are typed: `plan=gold, team=sales`."""
    return ", ".join(f"{name}={value}" for name, value in attributes.items())


def hours_words(hours: Json) -> str:
    """In which hours of the recipient's day mails go."""
    days = ", ".join(WEEKDAYS[day] for day in hours["days"])
    return f"{days}, {hours['opens']}:00 to {hours['closes']}:00 where the recipient is"


def reminder_words(days: list[int]) -> str:
    """When those who have not answered are reminded."""
    if not days:
        return "None"
    return " and ".join(wording.count(day, "day") for day in days) + " after the invitation"


def sender_words(sender: Json) -> str:
    """Whose name mails carry."""
    named = " ".join(part for part in (sender["name"], sender["email"]) if part)
    if sender["kind"] == "named":
        return named
    words = SENDERS[sender["kind"]]
    if named:
        words += f", else {named}"
    return words


def values_of(document: Json) -> Json:
    """The values of the form for a programme: texts, lists of codes, ticks."""
    values: Json = {name: document[name] for name in ("name", "survey_id", "objective", "open_days")}
    values |= document["when"]
    values["when"] = values.pop("type")
    values |= {f"who_{name}": value for name, value in document["who"].items()}
    values["who_attributes"] = attribute_words(document["who"]["attributes"])
    hours, caps, sender = document["hours"], document["caps"], document["sender"]
    values |= {"opens": hours["opens"], "closes": hours["closes"], **{f"cap_{name}": caps[name] for name in caps}}
    values |= {"days": list(map(str, hours["days"])), "first_days": list(map(str, hours["first_days"]))}
    values |= {f"sender_{name}": sender[name] for name in sender}
    values |= {f"reminder_{number}": day for number, day in enumerate(document["reminders"])}
    for name in ("incentive", "legal_basis", "only_with_permission"):
        values[name] = document[name]
    return values


def document_of(values: Mapping[str, Any]) -> Json:
    """The programme that the form describes; whatever is no number is left for the service to refuse by its field."""
    document: Json = {name: values.get(name, "") for name in ("name", "survey_id", "objective")}
    document |= {"when": _when(values), "who": _who(values), "open_days": _number(values.get("open_days"))}
    document["hours"] = {
        "days": list(map(int, values.get("days", ()))),
        "first_days": list(map(int, values.get("first_days", ()))),
        "opens": _number(values.get("opens")),
        "closes": _number(values.get("closes")),
    }
    reminders = [values.get("reminder_0"), values.get("reminder_1")]
    document["reminders"] = [_number(day) for day in reminders if day not in (None, "")]
    sender = {name: values.get(f"sender_{name}") or None for name in ("name", "email", "reply_to")}
    document["sender"] = sender | {"kind": values.get("sender_kind", "owner")}
    document["caps"] = {name: _number(values.get(f"cap_{name}")) for name in ("programme", "account")}
    document["only_with_permission"] = bool(values.get("only_with_permission"))
    return document | {name: values.get(name) or None for name in ("incentive", "legal_basis")}


def _when(values: Mapping[str, Any]) -> Json:
    kind = values.get("when", "cadence")
    if kind == "cadence":
        names = ("users_days", "decision_makers_days")
        return {"type": kind} | {name: _number(values.get(name)) for name in names}
    if kind == "once":
        return {"type": kind, "on": values.get("on", "")}
    if kind == "renewal":
        return {"type": kind, "days_before": _number(values.get("days_before"))}
    when: Json = {"type": kind, "kind": values.get("kind", ""), "whom": values.get("whom", "person")}
    when |= {"after_days": _number(values.get("after_days") or 0), "only_first": bool(values.get("only_first"))}
    if values.get("repeat_days"):
        when["repeat_days"] = _number(values["repeat_days"])
    if values.get("until"):
        when["until"] = values["until"]
    return when


def _who(values: Mapping[str, Any]) -> Json:
    who: Json = {}
    for name in WHO_LABELS:
        if values.get(f"who_{name}"):
            who[name] = values[f"who_{name}"]
    if "attributes" in who:
        who["attributes"] = _attributes(who["attributes"])
    who["not_before_days"] = _number(values.get("who_not_before_days") or 0)
    return who


def _attributes(text: str) -> Json:
    """The attributes that were typed; one without a value is left for the service to refuse."""
    attributes: Json = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if part.strip():
            attributes[name.strip()] = value.strip()
    return attributes


def _number(text: Any) -> Any:
    """The number that was typed; the text itself where it is none."""
    try:
        return int(str(text))
    except ValueError:
        return text or ""


def label_of(path: str) -> str:
    """The label of the field that a service found at fault, as `when.cadence.users_days`."""
    parts = [part for part in path.split(".") if part and not part.isdecimal()]
    if not parts:
        return "The programme"
    return LABELS.get(parts[-1], wording.plain(parts[-1]))
