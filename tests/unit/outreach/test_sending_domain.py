"""The sending domain: what receivers find in the DNS, good and bad, and what is told to publish."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from services.outreach.domain.dns_answers import Answers, Finding, Question, tags, upwards
from services.outreach.domain.relay import DkimKey
from services.outreach.domain.sending_domain import DomainReport
from services.outreach.gateways.signing import public_key
from services.outreach.handlers.sending_domain import sending_domain
from services.outreach.settings import OutreachSettings

FROM = "supplier.example"
RELAY = "mail.supplier.example"
KEY_NAME = "tellback._domainkey.supplier.example"


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


PRIVATE = pem(rsa.generate_private_key(65537, 2048))
PUBLISHED = public_key(DkimKey(FROM, "tellback", PRIVATE.encode()))
GOOD: Answers = {
    (RELAY, "A"): ("192.0.1.25",),
    ("25.1.0.192.in-addr.arpa", "PTR"): (RELAY,),
    (FROM, "MX"): (RELAY,),
    (FROM, "TXT"): ("some-verification=1", "v=spf1 mx -all"),
    (KEY_NAME, "TXT"): (f"v=DKIM1; k=rsa; p={PUBLISHED}",),
    (f"_dmarc.{FROM}", "TXT"): ("v=DMARC1; p=quarantine; rua=mailto:it@supplier.example",),
}


def settings(**changed: Any) -> OutreachSettings:
    """A relay of our own, and mails that are signed here."""
    values: dict[str, Any] = {
        "smtp_host": RELAY,
        "sender_domains": (FROM,),
        "dkim_domain": FROM,
        "dkim_key": SecretStr(PRIVATE),
        "public_url": "https://ask.supplier.example",
    }
    return OutreachSettings(**(values | changed))


async def examined(answers: Answers, **changed: Any) -> DomainReport:
    """What is said of a DNS with these answers; a name without one does not exist. None: the DNS does not answer."""

    async def ask(question: Question) -> tuple[str, ...] | None:
        return answers.get(question, ())

    return await sending_domain(settings(**changed), ask)


def named(report: DomainReport, name: str) -> Finding:
    [found] = [check for check in report.checks if check.name == name]
    return found


async def test_a_domain_that_is_set_up_has_nothing_to_publish() -> None:
    report = await examined(GOOD)
    assert {check.state for check in report.checks} == {"ok"}
    assert [check.record for check in report.checks if check.record] == []
    assert report.ok
    assert [check.name for check in report.checks] == [
        "mail relay",
        "mail relay: PTR",
        f"{FROM}: MX",
        f"{FROM}: SPF",
        f"{FROM}: DKIM",
        f"{FROM}: DMARC",
        f"{FROM}: alignment",
    ]


async def test_without_a_relay_it_says_so_and_asks_nobody() -> None:
    async def nobody(question: Question) -> tuple[str, ...] | None:
        raise AssertionError(question)

    report = await sending_domain(settings(smtp_host=None), nobody)
    [only] = report.checks
    assert (only.name, only.state, report.note) == ("mail relay", "not_checked", None)
    assert only.found == "no relay is set: nothing is ever sent; links work"


async def test_without_a_domain_of_senders_nobody_may_send() -> None:
    report = await examined({}, sender_domains=())
    assert (named(report, "sender domains").state, report.ok, report.note) == ("failed", False, None)


SPF = [
    pytest.param("v=spf1 ip4:192.0.1.0/24 ~all", "ok", "0 of 10 look-ups, names", id="the network of the relay"),
    pytest.param(f"v=spf1 a:{RELAY} ~all", "ok", "1 of 10", id="the relay by its name"),
    pytest.param("v=spf1 include:one.example -all", "ok", "2 of 10", id="an include that names it"),
    pytest.param("v=spf1 redirect=one.example", "ok", "2 of 10", id="a redirect"),
    pytest.param("v=spf1 redirect=nobody.example mx -all", "ok", "1 of 10", id="a redirect that all makes void"),
    pytest.param("V=SPF1 MX -ALL", "ok", "1 of 10", id="capitals"),
    pytest.param("v=spf1 -ip4:192.0.1.0/24 ~all", "warning", "is not named", id="the network is turned away"),
    pytest.param("v=spf1 ip4:198.51.100.7 ~all", "warning", "is not named", id="somebody else's network"),
    pytest.param("v=spf1 include:deep.example -all", "failed", "12 look-ups", id="more than ten through includes"),
    pytest.param("v=spf1 include:loop.example -all", "failed", "includes itself", id="a circle"),
    pytest.param(
        "v=spf1 include:nobody.example -all", "failed", "nobody.example has 0 SPF", id="an include of nothing"
    ),
    pytest.param("v=spf1 ip4:300.1.1.1 -all", "failed", "an address that is none", id="a wrong address"),
    pytest.param("v=spf1 mx +all", "failed", "lets everybody", id="everybody"),
    pytest.param("v=spf1 include:%{d}.one.example -all", "not_checked", "macros", id="a macro"),
    pytest.param("v=spf1 include:slow.example -all", "not_checked", "slow.example", id="no answer on the way"),
    pytest.param("v=spf10 mx -all", "failed", "there is no SPF record", id="another version"),
]
INCLUDED: Answers = {
    ("one.example", "TXT"): ("v=spf1 a:mail.supplier.example ?all",),
    ("deep.example", "TXT"): (f"v=spf1 {' '.join(f'include:e{number}.example' for number in range(11))} -all",),
    **{(f"e{number}.example", "TXT"): ("v=spf1 ip4:192.0.1.25 -all",) for number in range(11)},
    ("loop.example", "TXT"): ("v=spf1 include:back.example -all",),
    ("back.example", "TXT"): ("v=spf1 include:loop.example -all",),
    ("slow.example", "TXT"): None,
}


@pytest.mark.parametrize(("record", "state", "found"), SPF)
async def test_spf_is_read_as_receivers_read_it(record: str, state: str, found: str) -> None:
    check = named(await examined({**GOOD, **INCLUDED, (FROM, "TXT"): (record,)}), f"{FROM}: SPF")
    assert check.state == state
    assert found in check.found


async def test_records_that_include_others_again_and_again_come_to_an_end() -> None:
    many: dict[Question, tuple[str, ...]] = {("n12.example", "TXT"): ("v=spf1 -all",)}
    for depth in range(12):
        many[(f"n{depth}.example", "TXT")] = (f"v=spf1 {f'include:n{depth + 1}.example ' * 9}",)
    check = named(await examined({**GOOD, **many, (FROM, "TXT"): ("v=spf1 include:n0.example",)}), f"{FROM}: SPF")
    assert check.state == "failed"
    assert "more than 50 look-ups" in check.found


@pytest.mark.parametrize(
    ("names", "state", "found"),
    [
        ((RELAY,), "ok", "192.0.1.25: the name leads back"),
        (("other.example", RELAY), "ok", "192.0.1.25: the name leads back"),
        (("other.example",), "warning", "other.example, the name of 192.0.1.25, does not lead back to it"),
        ((), "warning", "192.0.1.25 has no name"),
        (None, "not_checked", "the DNS does not answer about 192.0.1.25"),
    ],
)
async def test_the_name_of_the_relays_address_leads_back(names: tuple[str, ...] | None, state: str, found: str) -> None:
    check = named(await examined({**GOOD, ("25.1.0.192.in-addr.arpa", "PTR"): names}), "mail relay: PTR")
    assert (check.state, check.found) == (state, found)


async def test_the_address_of_a_relay_that_many_use_is_not_looked_at() -> None:
    report = await examined({("smtp.sendgrid.net", "A"): ("192.0.1.25",)}, smtp_host="smtp.sendgrid.net")
    assert "mail relay: PTR" not in [check.name for check in report.checks]


@pytest.mark.parametrize(
    ("host", "texts", "value"),
    [
        (RELAY, (), f"v=spf1 a:{RELAY} ~all"),
        ("192.0.1.26", ("v=spf1 mx -all",), "v=spf1 mx ip4:192.0.1.26 -all"),
        ("10.0.0.5", (), "v=spf1 ip4:<public address of the relay> ~all"),
        ("smtp.office365.com", ("v=spf1 mx ?all",), "v=spf1 mx include:spf.protection.outlook.com ?all"),
        ("email-smtp.eu-west-1.amazonaws.com", (), "v=spf1 include:amazonses.com ~all"),
        ("smtp.postmarkapp.com", ("v=spf1 redirect=one.example",), "v=spf1 include:spf.mtasv.net redirect=one.example"),
        ("smtp.sendgrid.net", ("v=spf1 mx",), "v=spf1 mx include:sendgrid.net"),
    ],
)
async def test_the_record_to_publish_names_the_relay(host: str, texts: tuple[str, ...], value: str) -> None:
    report = await examined({**GOOD, **INCLUDED, (FROM, "TXT"): texts}, smtp_host=host)
    record = named(report, f"{FROM}: SPF").record
    assert record is not None
    assert (record.name, record.type, record.value) == (FROM, "TXT", value)


async def test_a_relay_that_many_use_is_named_by_its_include() -> None:
    answers = {
        **GOOD,
        (FROM, "TXT"): ("v=spf1 include:bundle.example -all",),
        ("bundle.example", "TXT"): ("v=spf1 include:sendgrid.net -all",),
        ("sendgrid.net", "TXT"): ("v=spf1 ip4:198.51.100.0/24 -all",),
    }
    check = named(await examined(answers, smtp_host="smtp.sendgrid.net"), f"{FROM}: SPF")
    assert (check.state, check.record) == ("ok", None)


@pytest.mark.parametrize(
    ("name", "question", "texts", "state", "found"),
    [
        ("SPF", (FROM, "TXT"), ("v=spf1 mx -all", "v=spf1 -all"), "failed", "2 SPF records"),
        ("SPF", (FROM, "TXT"), None, "not_checked", "does not answer"),
        ("MX", (FROM, "MX"), (), "warning", "takes no mail"),
        ("MX", (FROM, "MX"), ("",), "warning", "takes no mail"),
        ("MX", (FROM, "MX"), None, "not_checked", "does not answer"),
        ("MX", (FROM, "MX"), ("x.mail.protection.outlook.com",), "ok", "Microsoft 365"),
        ("MX", (FROM, "MX"), ("aspmx.l.google.com",), "ok", "Google Workspace"),
        ("DKIM", (KEY_NAME, "TXT"), (), "failed", "there is no record"),
        ("DKIM", (KEY_NAME, "TXT"), ("v=DKIM1; p=",), "failed", "taken back"),
        ("DKIM", (KEY_NAME, "TXT"), ("v=DKIM1; p=QUJD",), "failed", "another private key"),
        ("DKIM", (KEY_NAME, "TXT"), (f"p={PUBLISHED}", "v=DKIM1; p=QUJD"), "failed", "2 records"),
        ("DKIM", (KEY_NAME, "TXT"), (f"v=DKIM1; t=y; p={PUBLISHED}",), "warning", "test"),
        ("DKIM", (KEY_NAME, "TXT"), (f"k=rsa; p={PUBLISHED[:60]} {PUBLISHED[60:]} ;",), "ok", "our key"),
        ("DKIM", (KEY_NAME, "TXT"), None, "not_checked", "does not answer"),
        ("DMARC", (f"_dmarc.{FROM}", "TXT"), (), "failed", "no DMARC record"),
        ("DMARC", (f"_dmarc.{FROM}", "TXT"), ("v=DMARC1; p=none", "v=DMARC1; p=reject"), "failed", "2 records"),
        ("DMARC", (f"_dmarc.{FROM}", "TXT"), ("v=DMARC1; rua=mailto:it@supplier.example",), "failed", "no policy"),
        ("DMARC", (f"_dmarc.{FROM}", "TXT"), ("v=DMARC1; p=monitor",), "failed", "no policy"),
        ("DMARC", (f"_dmarc.{FROM}", "TXT"), ("v=DMARC1;p=none",), "ok", "policy none"),
        ("DMARC", (f"_dmarc.{FROM}", "TXT"), None, "not_checked", "does not answer"),
    ],
)
async def test_each_record_is_judged(
    name: str, question: Question, texts: tuple[str, ...] | None, state: str, found: str
) -> None:
    check = named(await examined({**GOOD, question: texts}), f"{FROM}: {name}")
    assert check.state == state
    assert found in check.found
    assert bool(check.fix) == (state != "ok")


async def test_the_key_to_publish_is_the_public_half_of_ours() -> None:
    record = named(await examined({}), f"{FROM}: DKIM").record
    assert record is not None
    assert (record.name, record.value) == (KEY_NAME, f"v=DKIM1; k=rsa; p={PUBLISHED}")


@pytest.mark.parametrize("key", ["no key", pem(ed25519.Ed25519PrivateKey.generate())], ids=["no key", "not of RSA"])
async def test_a_key_that_cannot_sign_is_found(key: str) -> None:
    check = named(await examined(GOOD, dkim_key=SecretStr(key)), f"{FROM}: DKIM")
    assert (check.state, check.found) == ("failed", "the private key cannot be read")


async def test_a_subdomain_has_the_policy_of_the_domain_above() -> None:
    answers = {**GOOD, (f"_dmarc.{FROM}", "TXT"): ("v=DMARC1; p=reject; sp=none",)}
    check = named(await examined(answers, sender_domains=("eu.supplier.example",)), "eu.supplier.example: DMARC")
    assert (check.state, check.found) == ("ok", "_dmarc.supplier.example, policy none")


@pytest.mark.parametrize(
    ("policy", "bounces", "signed", "state"),
    [
        pytest.param("p=none", None, FROM, "ok", id="the same domain"),
        pytest.param("p=none", "bounces.supplier.example", FROM, "ok", id="bounces below it"),
        pytest.param("p=none", "bounces.other.example", FROM, "ok", id="the signature alone"),
        pytest.param("p=none", None, "mail.supplier.example", "ok", id="signed below it"),
        pytest.param("p=none; adkim=s", None, "mail.supplier.example", "warning", id="a strict policy"),
        pytest.param(
            "p=none; adkim=s; aspf=s", "b.supplier.example", "mail.supplier.example", "failed", id="both strict"
        ),
        pytest.param("p=none", None, "other.example", "warning", id="the bounce address alone"),
        pytest.param("p=none", "bounces.other.example", "other.example", "failed", id="neither"),
        pytest.param("p=none", None, None, "warning", id="the relay may sign"),
        pytest.param("p=none", "bounces.other.example", None, "failed", id="nothing of the sender's"),
    ],
)
async def test_signature_or_bounce_address_must_be_of_the_domain_of_the_sender(
    policy: str, bounces: str | None, signed: str | None, state: str
) -> None:
    answers = {**GOOD, (f"_dmarc.{FROM}", "TXT"): (f"v=DMARC1; {policy}",)}
    changed: dict[str, Any] = {"dkim_domain": signed}
    if signed is None:
        changed["dkim_key"] = None
    report = await examined(answers, bounce_domain=bounces, **changed)
    assert named(report, f"{FROM}: alignment").state == state


async def test_sisters_are_of_one_domain_where_its_policy_says_so() -> None:
    changed: dict[str, Any] = {"sender_domains": ("eu.supplier.example",), "dkim_domain": "mail.supplier.example"}
    assert named(await examined(GOOD, **changed), "eu.supplier.example: alignment").state == "ok"
    alone = {**GOOD, (f"_dmarc.{FROM}", "TXT"): ("v=DMARC1; p=none; psd=y",)}
    report = await examined(alone, bounce_domain="b.supplier.example", **changed)
    assert named(report, "eu.supplier.example: alignment").state == "failed", "a registry is nobody's organisation"


async def test_bounces_that_nobody_takes_are_lost() -> None:
    report = await examined(GOOD, bounce_domain="bounces.supplier.example")
    assert named(report, "bounces.supplier.example: MX").state == "failed"
    assert named(report, "bounces.supplier.example: SPF").state == "failed", "receivers read that of the bounce address"


@pytest.mark.parametrize(
    ("host", "user", "state", "found"),
    [
        ("smtp.office365.com", "ann", "warning", "off by default from the end of December 2026"),
        ("SMTP.Office365.com", "ann", "warning", "off by default from the end of December 2026"),
        ("supplier-example.mail.protection.outlook.com", "", "ok", "port 587"),
        ("supplier-example.mail.protection.outlook.com", "ann", "warning", "takes no user and password"),
        ("smtp.gmail.com", "ann", "warning", "app password"),
        ("smtp-relay.gmail.com", "", "ok", "Admin console"),
        (RELAY, "ann", "ok", "port 587, security starttls"),
    ],
)
async def test_hosts_of_microsoft_and_google_are_named_with_what_works(
    host: str, user: str, state: str, found: str
) -> None:
    check = named(await examined(GOOD, smtp_host=host, smtp_user=user), "mail relay")
    assert check.state == state
    assert found in check.found


async def test_the_note_says_what_others_have_to_let_pass() -> None:
    report = await examined(GOOD, bounce_domain="bounces.supplier.example")
    assert report.note is not None
    for line in (
        "- From: addresses at supplier.example",
        "- Return-Path: addresses at bounces.supplier.example",
        "- DKIM: d=supplier.example, s=tellback",
        f"- sent through: {RELAY}",
        "- links begin with: https://ask.supplier.example",
    ):
        assert line in report.note.splitlines()


def test_tags_are_read_with_blanks_and_capitals() -> None:
    assert tags(" V = DMARC1 ;p= none;; p=reject; x") == {"v": "DMARC1", "p": "none"}


def test_the_domains_above_end_at_two_labels() -> None:
    assert upwards("a.b.example") == ["a.b.example", "b.example"]
    assert upwards("localhost") == ["localhost"]
