"""Reports of mails that came back: what counts, whom it names, and how grave it is."""

import base64
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain.bounces import (
    kind_of,
    kind_of_postmark,
    kind_of_sendgrid,
    read_report,
    status_of,
)
from services.outreach.domain.mail_names import MailName, name_of_message_id
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.providers import is_postmark, is_sendgrid
from tests.support.bounces import ANN, auto_reply, report

ASK = UUID("5d1f4c7e-8a30-4d0e-9b51-3c0a6f2e7b14")
MAIL = MailName(ASK, "invite", 1)
TOKENS = Tokens(["k" * 32])
SENDER = f"{TOKENS.bounce_local_part(MAIL)}@bounces.supplier.example"
MESSAGE_ID = f"<{ASK}.invite.1@ask.supplier.example>"


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        ("failed", "5.1.1", "hard"),
        ("Failed", "5.1.10 (no such user)", "hard"),
        ("failed", "5.2.2", "soft"),
        ("failed", "5.2.20", "hard"),
        ("failed", "5.7.1", "soft"),
        ("failed", "5.7.26", "soft"),
        ("failed", "4.4.7", "soft"),
        ("delayed", "4.4.1", "soft"),
        ("delayed", "5.1.1", "soft"),
        ("delivered", "2.1.5", "other"),
        ("relayed", "5.1.1", "other"),
        ("failed", "2.0.0", "other"),
        ("failed", "550 no such user", "other"),
        ("failed", "", "other"),
    ],
)
def test_b3_action_and_status_say_how_grave_it_is(action: str, status: str, kind: str) -> None:
    assert read_report(report(SENDER, action=action, status=status)).kind == kind
    assert kind_of(action, status_of(status)) == kind


def test_b3_a_report_names_the_mail_by_its_envelope_sender_and_its_message_id() -> None:
    found = read_report(report(SENDER, message_id=MESSAGE_ID))
    assert TOKENS.bounced(found.local_parts[0]) == MAIL
    assert (found.mails, found.status) == ((MAIL,), "5.1.1")
    assert set(found.recipients) == {ANN}


def test_b3_a_report_may_bring_the_whole_mail_back() -> None:
    found = read_report(report("lea@supplier.example", message_id=MESSAGE_ID, whole=True))
    assert (found.mails, set(found.recipients)) == ((MAIL,), {ANN})


def test_c25_the_envelope_sender_is_known_in_any_case() -> None:
    found = read_report(report(SENDER.upper()))
    assert any(TOKENS.bounced(local_part) is not None for local_part in found.local_parts)


def test_b4_an_automatic_reply_is_none() -> None:
    assert read_report(auto_reply(SENDER)).kind == "auto_reply"


def test_b4_a_report_stays_one_though_it_says_that_a_machine_wrote_it() -> None:
    content = report(SENDER).replace(b"Subject:", b"Auto-Submitted: auto-replied\r\nSubject:", 1)
    assert read_report(content).kind == "hard"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: 550 5.1.1 user unknown\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        report(SENDER).replace(b"multipart/report", b"multipart/mixed"),
        report(SENDER).replace(b"message/delivery-status", b"text/plain"),
        report(SENDER).replace(b"Action:", b"Reaction:"),
        b'Content-Type: multipart/report; boundary="' + b"a" * 200 + b'"\r\n\r\n',
        b'Content-Type: multipart/mixed; boundary="a"\r\n\r\n--a\r\n' * 3_000,
        b"To: " + b"(" * 3_000 + b"\r\n\r\n",
    ],
)
def test_prose_and_what_cannot_be_read_has_no_effect(content: bytes) -> None:
    assert read_report(content).kind == "other"


@given(st.binary(max_size=200), st.integers(0, 700), st.integers(0, 60))
def test_a_report_that_is_damaged_anywhere_is_read(patch: bytes, begin: int, length: int) -> None:
    content = report(SENDER, message_id=MESSAGE_ID)
    found = read_report(content[:begin] + patch + content[begin + length :])
    assert found.kind in ("hard", "soft", "auto_reply", "other")


def test_the_same_report_has_the_same_key_and_another_one_another() -> None:
    first = read_report(report(SENDER, report_id="<1@mx.acme.example>"))
    again = read_report(b"Received: again\r\n" + report(SENDER, report_id="<1@mx.acme.example>"))
    assert first.key == again.key
    assert read_report(report(SENDER, report_id="<2@mx.acme.example>")).key != first.key


@pytest.mark.parametrize("text", ["", "<x@y>", f"{ASK}", f"<{ASK}@host>", f"<{ASK}.invite.1>", f"<a{ASK}.invite.1@h>"])
def test_message_ids_of_others_name_no_mail(text: str) -> None:
    assert name_of_message_id(text) is None


def test_what_providers_call_it_is_read_as_ours() -> None:
    kinds = [kind_of_postmark(kind) for kind in ("HardBounce", "SoftBounce", "SpamComplaint", "AutoResponder", "New")]
    assert kinds == ["hard", "soft", "complaint", "auto_reply", "other"]
    assert kind_of_sendgrid("bounce", "bounce", "5.1.1") == "hard"
    assert kind_of_sendgrid("bounce", "bounce", "5.2.2") == "soft"
    assert kind_of_sendgrid("bounce", "bounce", None) == "hard"
    assert kind_of_sendgrid("bounce", "blocked", "5.7.1") == "soft"
    assert kind_of_sendgrid("spamreport", None, None) == "complaint"
    assert [kind_of_sendgrid(event, None, None) for event in ("delivered", "deferred", "open", "dropped")] == [None] * 4


def test_c26_only_the_secret_is_postmark() -> None:
    def basic(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    assert is_postmark(basic("postmark:the-secret-of-postmark"), "the-secret-of-postmark")
    assert is_postmark(basic(":the-secret-of-postmark"), "the-secret-of-postmark")
    for shown in ("", "Basic", "Basic ü", basic("postmark:"), basic("the-secret-of-postmark"), basic("postmark:other")):
        assert not is_postmark(shown, "the-secret-of-postmark")


def test_c26_only_a_signature_over_time_and_body_is_sendgrid() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key, body, timestamp = base64.b64encode(der).decode(), b'[{"event":"bounce"}]', "1588788367"
    signature = base64.b64encode(private.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    assert is_sendgrid(key, signature, timestamp, body)
    assert not is_sendgrid(key, signature, "1588788368", body)
    assert not is_sendgrid(key, signature, timestamp, body + b" ")
    for strange in ("", "%", base64.b64encode(b"no signature").decode()):
        assert not is_sendgrid(key, strange, timestamp, body)
        assert not is_sendgrid(strange, signature, timestamp, body)
