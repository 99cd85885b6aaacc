"""Words for files that people bring: what their rows are, what columns mean, how dates are read, what became of
rows."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

KINDS = {"responses": "Answers", "accounts": "Accounts", "stakeholders": "People"}
ROWS = {"responses": "answers", "accounts": "accounts", "stakeholders": "people"}
NEEDED: Mapping[str, Sequence[str]] = {
    "responses": ("account_id", "email", "stakeholder_id", "score", "survey_type", "comment", "answered_at"),
    "accounts": ("account_id", "name", "owner.email", "tier"),
    "stakeholders": ("account_id", "email", "stakeholder_id", "name"),
}
"""The fields that are asked for first; the others follow on demand."""
FURTHER: Mapping[str, Sequence[str]] = {
    "responses": (
        "response_id", "survey_id", "touchpoint", "product", "channel", "language", "nps_kind", "follow_up_requested",
        "invitation_id", "test",
    ),
    "accounts": (
        "owner.name", "industry", "region", "annual_revenue.amount", "annual_revenue.currency", "renewal_on",
        "closed_on", "customer_since", "products", "sponsor.name", "sponsor.email", "parent_account_id", "domains",
        "language", "time_zone", "do_not_ask.until", "do_not_ask.reason",
    ),
    "stakeholders": (
        "first_name", "last_name", "type", "job_title", "job_level", "job_function", "location", "language",
        "time_zone", "mail_permission",
    ),
}  # fmt: skip
CONSTANTS: Mapping[str, Mapping[str, str]] = {
    "survey_type": {
        "=nps": "Every row is NPS (0 to 10)",
        "=csat": "Every row is CSAT (1 to 5)",
        "=ces": "Every row is CES (1 to 7)",
    }
}
"""Field -> what may be chosen for all rows beside a column."""
WRITTEN = {"account_id": "Or one account for all rows", "survey_id": "One survey for all rows"}
"""Fields for which a text for all rows may be written."""
FIELD_NAMES = {
    "account_id": "Account",
    "stakeholder_id": "Person (id or name)",
    "email": "E-mail of the person",
    "score": "Score",
    "survey_type": "Kind of survey",
    "comment": "Comment",
    "answered_at": "Date of the answer",
    "response_id": "Id of the answer",
    "nps_kind": "Relationship or transaction",
    "survey_id": "Survey",
    "invitation_id": "Invitation",
    "follow_up_requested": "Wants to be called",
    "test": "Is a test",
    "answers": "Further answers (JSON)",
    "attributes": "Attributes (JSON)",
    "annual_revenue.amount": "Annual revenue",
    "annual_revenue.currency": "Currency of the revenue",
    "renewal_on": "Renewal",
    "closed_on": "Lost on",
    "owner.name": "Owner",
    "owner.email": "E-mail of the owner",
    "sponsor.name": "Sponsor",
    "sponsor.email": "E-mail of the sponsor",
    "parent_account_id": "Parent account",
    "type": "Role",
    "do_not_ask.until": "Do not ask until",
    "do_not_ask.reason": "Why not to ask",
    "mail_permission": "May be asked by mail",
}
FORMAT_NAMES = {
    "asknicely": "AskNicely",
    "google_forms": "Google Forms",
    "hubspot": "HubSpot",
    "limesurvey": "LimeSurvey",
    "posthog": "PostHog",
    "surveymonkey": "SurveyMonkey",
    "tellback": "Tellback, answers",
    "tellback_accounts": "Tellback, accounts",
}
OUTCOMES = {
    "new": "New",
    "amended": "Changed an answer that was known",
    "same": "Known already, nothing new",
    "kept": "Known, and kept as it is",
    "conflict": "In conflict with a known answer",
    "gone": "About somebody who was erased, or undone",
    "dropped": "Could not be handled, and given up by an operator",
}
ASKED = {
    "missing_column": "Say which column holds it.",
    "survey_type_needed": "No score is above 5, so this may be no NPS: say which kind of survey it is.",
    "survey_needed": "The ids are small numbers, which another survey has as well: name the survey.",
    "date_format_needed": "The dates can be read in two ways: say which.",
    "several_sheets": "The workbook has several sheets: say which.",
}
"""What is asked by code, where the page says it better than the service."""
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DATE = re.compile(
    r"(?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})"
    r"(?P<gap>,? +|T)?(?P<time>\d{1,2}:\d{2})?(?P<seconds>:\d{2})?(?P<half> ?[AaPp][Mm])?"
)


def field_name(name: str) -> str:
    """The words for a field."""
    return FIELD_NAMES.get(name, name.removeprefix("attributes.").replace("_", " ").capitalize())


def size(bytes_: int) -> str:
    """A size in megabytes."""
    return f"{bytes_ / 1024 / 1024:.0f} MB"


def date_orders(samples: Iterable[str]) -> dict[str, str]:
    """Format -> what the first date whose order is open would be in it; empty where the samples are no such dates."""
    for sample in samples:
        match = _DATE.fullmatch(sample.strip())
        if match is None:
            continue
        orders = {}
        for order, (day, month) in {"DD{0}MM": ("first", "second"), "MM{0}DD": ("second", "first")}.items():
            words = _day(match["year"], match[month], match[day])
            if words:
                orders[_form(order.format(match["mark"]), match)] = f"{sample} is {words}"
        return orders
    return {}


def _form(order: str, match: re.Match[str]) -> str:
    form = f"{order}{match['mark']}{'Y' * len(match['year'])}{match['gap'] or ''}"
    if match["time"]:
        form += "HH:MM"
    if match["seconds"]:
        form += ":SS"
    if match["half"]:
        form += match["half"][:-2] + "AM/PM"
    return form


def _day(year: str, month: str, day: str) -> str:
    century = 0
    if len(year) == 2:
        century = 2000
    try:
        found = date(century + int(year), int(month), int(day))
    except ValueError:
        return ""
    return f"{found.day} {MONTHS[found.month - 1]} {found.year}"
