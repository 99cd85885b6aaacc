"""The settings of business time, owners and links."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from services.alerting.app import calendar_of, mail_server_of, resources_of
from services.alerting.domain.tasks import Contact
from services.alerting.settings import AlertingSettings
from shared.calendar import Due
from shared.settings import CommonSettings, InvalidSettings
from tests.support.clock import FrozenClock

COMMON = CommonSettings(
    kafka_bootstrap_servers="kafka:9092",
    database_url="postgresql://database/tellback",
    secret_keys=(SecretStr("Zx8qVn3LrT0wYb5KfHs2DgJm7PcUa9Ee4Ri"),),
)
CLOCK = FrozenClock(datetime(2026, 6, 8, 10, tzinfo=UTC))


def settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> AlertingSettings:
    for name, value in values.items():
        monkeypatch.setenv(f"TELLBACK_ALERTING_{name.upper()}", value)
    return AlertingSettings.load()


@pytest.mark.parametrize("proxy", ["http://[2001:db8::1]:3128", "http://me:secret@proxy.example:3128/"])
def test_a_proxy_is_a_host_and_a_port(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    assert settings(monkeypatch, proxy=proxy).proxy == proxy


@pytest.mark.parametrize("proxy", ["http://proxy.example", "http://proxy.example:0", "http://proxy.example:99999"])
def test_a_proxy_without_a_port_that_can_be_is_refused(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    with pytest.raises(InvalidSettings, match="TELLBACK_ALERTING_PROXY"):
        settings(monkeypatch, proxy=proxy)


def test_business_time_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(
        monkeypatch,
        business_hours="08:30-17:00",
        business_days="mon-thu",
    )
    common = COMMON.model_copy(update={"time_zone": "Europe/Berlin", "holidays": ("2026-06-09", "2026-06-10")})
    calendar = calendar_of(found, common)
    assert (calendar.zone.key, calendar.opens) == ("Europe/Berlin", timedelta(hours=8, minutes=30))
    monday_16 = datetime(2026, 6, 8, 14, tzinfo=UTC)
    assert calendar.add(monday_16, Due(2, "business_hours")) == datetime(2026, 6, 11, 7, 30, tzinfo=UTC)


def test_owner_and_leader_have_their_addresses_in_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(monkeypatch, default_owner_email="Desk@Supplier.example", leader_name="Lea")
    staff = resources_of(found, COMMON, CLOCK).policy.staff
    assert (staff.default_owner, staff.leader) == (Contact(None, "desk@supplier.example"), Contact("Lea", None))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("business_days", "every day"),
        ("business_hours", "nine to five"),
        ("default_owner_email", "desk"),
        ("mail_from", "jörg@supplier.example"),
        ("wake_seconds", "0"),
    ],
)
def test_settings_that_make_no_sense_are_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        settings(monkeypatch, **{name: value})
    assert [error["field"] for error in refused.value.errors or []] == [f"TELLBACK_ALERTING_{name.upper()}"]


@pytest.mark.parametrize("hours", ["18:00-09:00", "09:00-09:00", "09:00-25:00", "09:70-18:00"])
def test_hours_that_leave_no_business_time_stop_the_start(monkeypatch: pytest.MonkeyPatch, hours: str) -> None:
    with pytest.raises(InvalidSettings, match="TELLBACK_ALERTING_BUSINESS_"):
        resources_of(settings(monkeypatch, business_hours=hours), COMMON, CLOCK)


def test_mail_needs_a_server_and_a_sender_and_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mail_server_of(settings(monkeypatch)) is None
    found = settings(monkeypatch, smtp_host="mail.supplier.example", smtp_password="hush")
    with pytest.raises(InvalidSettings, match="MAIL_FROM"):
        mail_server_of(found)
    server = mail_server_of(settings(monkeypatch, mail_from="tellback@supplier.example"))
    assert server is not None
    assert (server.port, server.security, server.password) == (587, "starttls", "hush")
    assert "hush" not in repr(server)
