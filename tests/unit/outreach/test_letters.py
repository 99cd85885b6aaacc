"""What a mail says: whole as plain text and as HTML, in every language, and never what somebody smuggles in."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.outreach.domain.colours import contrast
from services.outreach.domain.documents import survey_from
from services.outreach.domain.languages import COMPLETE
from services.outreach.gateways.letters import Invitation, letter_of
from shared.mail import Mailbox, message_of
from tests.support.letters import (
    ASK,
    INVITE_ID,
    LEGAL,
    STOP,
    every_kind,
    from_right_to_left,
    invitation,
    survey_of,
)
from tests.support.surveys import survey_documents

MAX_HTML = 30_000
INVITATION = invitation()


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
    letter = letter_of(invitation(language))
    lines = letter.text.splitlines()
    assert ASK in lines
    for part in ("Ann Ong", "Lea Maier", "Supplier Ltd", "1 Example Road", LEGAL.imprint_url, LEGAL.privacy_url, STOP):
        assert part in letter.text, part
    assert "{" not in letter.text + letter.subject
    assert "None" not in letter.text + letter.subject


@pytest.mark.parametrize("language", COMPLETE)
def test_h1_the_html_is_small_names_its_language_and_loads_nothing(language: str) -> None:
    letter, page = letter_of(invitation(language)), html_of(invitation(language))
    assert letter.html is not None
    assert len(letter.html.encode()) < MAX_HTML
    assert f'<html lang="{language}" dir="ltr">' in letter.html
    assert not {"img", "script", "link", "iframe", "form"} & set(page.tags)
    assert not re.search(r"url\(|@import|@font-face|background=", letter.html)
    assert page.links == [*(f"{ASK}?s={score}" for score in range(11)), ASK, LEGAL.imprint_url, LEGAL.privacy_url, STOP]
    assert letter.subject in page.text


def test_p1_no_link_leads_through_somebody_else_and_none_is_counted() -> None:
    hosts = {re.match(r"https://[^/]+", link)[0] for link in html_of(INVITATION).links}  # type: ignore[index]
    assert hosts == {"https://ask.supplier.example", "https://supplier.example"}


def test_reminders_have_their_subjects_and_follow_the_invitation() -> None:
    first = replace(INVITATION, kind="reminder", number=1, references=(INVITE_ID,))
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


def test_arabic_reads_from_right_to_left() -> None:
    letter = letter_of(from_right_to_left())
    assert '<html lang="ar" dir="rtl">' in (letter.html or "")
    assert ASK in letter.text.splitlines()


@pytest.mark.parametrize("language", COMPLETE)
def test_every_kind_says_the_same_as_text_and_as_html(language: str) -> None:
    for kind, mail in every_kind(language).items():
        letter, page = letter_of(mail), html_of(mail)
        said = " ".join(page.text.split())
        for line in letter.text.splitlines():
            words = line.partition(": https://")[0]
            if words and words != "-- " and not words.endswith(":") and words != ASK and not re.match(r"\d+: ", words):
                assert " ".join(words.split()) in said, (kind, line)


@pytest.mark.parametrize("language", COMPLETE)
def test_lines_of_a_text_stay_lines(language: str) -> None:
    letter = letter_of(invitation(language))
    assert "\nLea Maier\n" in letter.text
    assert "<br>\nLea Maier" in (letter.html or "")


@pytest.mark.parametrize("language", [language for language in COMPLETE if language != "de"])
@pytest.mark.parametrize("template", ["relationship", "project", "csat", "ces", "review"])
def test_a_sentence_after_the_greeting_begins_with_a_capital(language: str, template: str) -> None:
    paragraphs = letter_of(invitation(language, template)).text.split("\n\n")
    assert paragraphs[1][0].isupper()


@pytest.mark.parametrize("colour", [None, "#ffee00", "#101010"])
def test_the_colour_of_the_survey_is_that_of_the_mail_as_far_as_it_can_be_read(colour: str | None) -> None:
    html = letter_of(invitation(survey=replace(survey_of(), colour=colour))).html or ""
    [ground] = set(re.findall(r'bgcolor="(#\w{6})"', html))
    assert contrast(ground, "#ffffff") >= 4.5
    [dark] = set(re.findall(r"\.link { color: (#\w{6}) !important }", html))
    assert contrast(dark, "#14171b") >= 4.5


def test_h2_who_writes_to_whom_and_when_stands_in_the_headers() -> None:
    message = message_from_bytes(message_of(letter_of(INVITATION)), policy=default)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert (message["From"], message["To"]) == ("Lea Maier <lea@supplier.example>", "Ann Ong <ann@acme.example>")
    assert message["Message-ID"] == INVITE_ID
    assert message["Date"].datetime == INVITATION.at
    assert message["Sender"] is None
    assert not {"Precedence", "Disposition-Notification-To", "Return-Receipt-To", "Bcc", "Cc"} & set(message.keys())
    assert (message["List-Unsubscribe"], message["List-Unsubscribe-Post"]) == (
        f"<{STOP}>",
        "List-Unsubscribe=One-Click",
    )


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


@pytest.mark.parametrize("language", COMPLETE)
@pytest.mark.parametrize("template", ["relationship", "project", "csat", "ces", "review"])
def test_m3_each_subject_says_what_it_is_about_and_fits_into_a_list_of_mails(language: str, template: str) -> None:
    mail = invitation(language, template)
    last = replace(mail, kind="reminder", number=2)
    subjects = [letter_of(found).subject for found in (mail, replace(last, number=1), last)]
    assert len(set(subjects)) == 3
    assert all(10 <= len(subject) <= 78 for subject in subjects)
