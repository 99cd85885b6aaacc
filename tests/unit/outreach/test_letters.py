"""What a mail says: whole as plain text and as HTML, in every language, and never what somebody smuggles in."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.outreach.domain.documents import survey_from
from services.outreach.domain.languages import COMPLETE
from services.outreach.domain.surveys import Legal, Survey
from services.outreach.domain.templates import template_survey
from services.outreach.gateways.letters import Invitation, letter_of
from shared.mail import Mailbox, message_of
from tests.support.surveys import survey_documents

ASK, STOP = "https://ask.supplier.example/s/" + "A" * 44, "https://ask.supplier.example/u/" + "B" * 44
LEGAL = Legal("Supplier Ltd", "1 Example Road", "https://supplier.example/i", "https://supplier.example/p")
MAX_HTML = 30_000


def relationship(language: str = "en") -> Survey:
    return replace(template_survey("relationship", COMPLETE), us="Supplier", legal=LEGAL, default_language=language)


INVITATION = Invitation(
    kind="invite",
    survey=relationship(),
    language="en",
    sender=Mailbox("lea@supplier.example", "Lea Maier"),
    to=Mailbox("ann@acme.example", "Ann Ong"),
    account_name="Acme Ltd",
    ask_url=ASK,
    stop_url=STOP,
    message_id="<0.invite.1@ask.supplier.example>",
    at=datetime(2026, 6, 9, 8, tzinfo=UTC),
)


class Page(HTMLParser):
    """Links, and what else a page would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "background")]

    def handle_data(self, data: str) -> None:
        self.text += data


def html_of(invitation: Invitation) -> Page:
    html = letter_of(invitation).html
    assert html is not None
    return Page(html)


@pytest.mark.parametrize("language", COMPLETE)
def test_h1_the_plain_text_is_complete_with_the_link_on_a_line_of_its_own(language: str) -> None:
    letter = letter_of(replace(INVITATION, survey=relationship(language), language=language))
    lines = letter.text.splitlines()
    assert ASK in lines
    for part in ("Ann Ong", "Lea Maier", "Supplier Ltd", "1 Example Road", LEGAL.imprint_url, LEGAL.privacy_url, STOP):
        assert part in letter.text, part
    assert "{" not in letter.text + letter.subject
    assert "None" not in letter.text + letter.subject


@pytest.mark.parametrize("language", COMPLETE)
def test_h1_the_html_is_small_names_its_language_and_loads_nothing(language: str) -> None:
    invitation = replace(INVITATION, survey=relationship(language), language=language)
    letter, page = letter_of(invitation), html_of(invitation)
    assert letter.html is not None
    assert len(letter.html.encode()) < MAX_HTML
    assert f'<html lang="{language}" dir="ltr">' in letter.html
    assert not {"img", "script", "link", "style", "iframe", "form"} & set(page.tags)
    assert page.links == [*(f"{ASK}?s={score}" for score in range(11)), ASK, LEGAL.imprint_url, LEGAL.privacy_url, STOP]
    assert letter.subject in page.text


def test_p1_no_link_leads_through_somebody_else_and_none_is_counted() -> None:
    hosts = {re.match(r"https://[^/]+", link)[0] for link in html_of(INVITATION).links}  # type: ignore[index]
    assert hosts == {"https://ask.supplier.example", "https://supplier.example"}


def test_reminders_have_their_subjects_and_follow_the_invitation() -> None:
    first = replace(INVITATION, kind="reminder", number=1, references=("<0.invite.1@ask.supplier.example>",))
    subjects = {letter_of(mail).subject for mail in (INVITATION, first, replace(first, number=2))}
    assert len(subjects) == 3
    assert letter_of(replace(first, number=9)).subject == letter_of(replace(first, number=2)).subject
    assert b"In-Reply-To: <0.invite.1@ask.supplier.example>" in message_of(letter_of(first))


def test_a_test_mail_says_so() -> None:
    letter = letter_of(replace(INVITATION, kind="test"))
    assert letter.subject.startswith("[Test] ")
    assert "This is a test mail" in letter.text


def test_m8_m9_incentive_what_was_changed_and_the_legal_basis_are_said() -> None:
    said = {"incentive": "Everybody who answers gets the report.", "heard": "Calls at night.", "legal_basis": "Art. 6"}
    letter = letter_of(replace(INVITATION, **said))  # type: ignore[arg-type]
    for text in said.values():
        assert text in letter.text
        assert text in (letter.html or "")


def test_an_account_without_a_name_leaves_no_gap() -> None:
    bare = replace(INVITATION, to=Mailbox("ann@acme.example"), account_name=None, sender=Mailbox("lea@s.example"))
    text = letter_of(bare).text
    assert not re.search(r"  |None|[{}]", text)


def test_arabic_reads_from_right_to_left_with_zero_on_the_right() -> None:
    html = letter_of(replace(INVITATION, survey=relationship("en"), language="ar")).html or ""
    assert '<html lang="ar" dir="rtl">' in html


@settings(max_examples=50, deadline=None)
@given(name=st.text(max_size=60), account=st.text(max_size=60), document=survey_documents())
def test_hostile_names_stay_text(name: str, account: str, document: dict[str, object]) -> None:
    survey = survey_from(document)
    mail = replace(INVITATION, survey=survey, language=survey.default_language, account_name=account)
    plain = html_of(replace(mail, to=Mailbox("a@b.example", "Ann"), account_name="Acme"))
    hostile = html_of(replace(mail, to=Mailbox("a@b.example", f"<script>{name}</script>")))
    assert "script" not in hostile.tags
    assert hostile.links == plain.links
    message_of(letter_of(replace(mail, to=Mailbox("a@b.example", name))))
