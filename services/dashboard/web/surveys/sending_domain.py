"""The sending domain: whether receivers will believe the mails, with the records to copy and what was found."""

from services.dashboard.web.elements import Text, box, empty
from services.dashboard.web.form_fields import button
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.tabs import tabs
from shared.api.questions import SENDING_DOMAIN
from shared.api.sending_domain import DnsRecord, DomainCheck, SendingDomain
from shared.http.client import Api

PATH = "/surveys/sending-domain"
LEAD = "Receivers believe a mail when the DNS says that its sender may send it"
SIGNS = {"ok": "✓", "warning": "!", "failed": "✕", "not_checked": "?"}
STATES = {
    "ok": "as it should be",
    "warning": "to look at",
    "failed": "to be mended",
    "not_checked": "could not be asked",
}
NOTE = "For the IT of the people whom you ask, if mails do not arrive there"


@page(PATH, "Sending domain", scope="manage")
async def sending_domain(visit: Visit) -> None:
    """Draw the page."""
    tabs(visit, PATH, LEAD)
    domain = _Domain(visit)
    Section(visit, "What was found", domain.load, domain.draw, classes="wide")


class _Domain:
    """What the DNS said when it was asked: with the page, and again by a button."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._found: SendingDomain | None = None

    async def load(self, api: Api) -> SendingDomain:
        """Ask, unless it was asked already: the page is loaded again whenever something else changes."""
        if self._found is None:
            self._found = await api.ask(SENDING_DOMAIN)
        return self._found

    async def again(self) -> None:
        """Ask anew."""
        self._found = None
        await self._visit.refresh()

    def draw(self, found: SendingDomain) -> None:
        """Draw all checks, those to be mended first."""
        if found.note is None:
            empty(
                "No mail server or no sending domain is set, so no mail is sent.",
                "Whoever runs Tellback sets TELLBACK_OUTREACH_SMTP_HOST and TELLBACK_OUTREACH_SENDER_DOMAINS.",
            )
        elif found.ok:
            Text("p", "✓ Nothing is to be mended.", "notice good")
        else:
            Text("p", "✕ Something is to be mended before receivers believe your mails.", "notice warn", role="status")
        order = ("failed", "warning", "not_checked", "ok")
        for number, check in enumerate(sorted(found.checks, key=lambda check: order.index(check.state))):
            _draw_check(check, number)
        if found.note is not None:
            Text("h3", NOTE)
            with box("div", "form"):
                Text("textarea", found.note, id="note", readonly="", rows="11", aria_label=NOTE)
                with box("div", "buttons"):
                    Text("button", "Copy the note", type="button", data_copy="note")
        with box("div", "buttons"):
            button("Look again", self.again, "main")


def _draw_check(check: DomainCheck, number: int) -> None:
    with box("div", "linkrow"):
        Text("h3", f"{SIGNS[check.state]} {check.name}: {STATES[check.state]}")
        Text("p", f"Found: {check.found}.")
        if check.fix:
            Text("p", f"What to do: {check.fix}.")
        if check.record is not None:
            _draw_record(check.record, number)


def _draw_record(record: DnsRecord, number: int) -> None:
    """Draw the parts of a record, each to be copied."""
    Text("p", f"Publish this {record.type} record at your DNS provider:")
    for part, value in (("name", record.name), ("value", record.value)):
        field = f"record-{number}-{part}"
        label = f"{part.capitalize()} of the record {record.name}"
        with box("div", "linkline"):
            box("input", type="text", readonly="", value=value, id=field, aria_label=label)
            Text("button", f"Copy the {part}", type="button", data_copy=field, aria_label=f"Copy: {label}")
