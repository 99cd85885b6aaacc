"""The settings of webhooks as the sender takes them."""

import ipaddress

import pytest
from pydantic import SecretStr

from services.alerting.app import policy_of
from services.alerting.courier.app import rules_of
from services.alerting.courier.domain.retry import DEFAULT_SCHEDULE
from services.alerting.settings import AlertingSettings
from shared.settings import CommonSettings, InvalidSettings

COMMON = CommonSettings(
    kafka_bootstrap_servers="kafka-1:9192,kafka-2:9193",
    database_url="postgresql://tellback:pw@db:5433/tellback",
    secret_keys=(SecretStr("Zx81kQmPw03LrTn5VbYc9HdJs7GfAe2U"),),
)
LOOPBACK = ipaddress.ip_address("127.0.0.1")


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> AlertingSettings:
    for name, value in variables.items():
        monkeypatch.setenv(f"TELLBACK_ALERTING_{name}", value)
    return AlertingSettings.load()


def test_the_defaults_are_those_of_the_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = rules_of(settings(monkeypatch))
    assert rules.retry.schedule == DEFAULT_SCHEDULE
    assert (rules.retry.busy_wait, rules.lease, rules.in_flight) == (60, 40, 200)
    assert not policy_of(settings(monkeypatch), COMMON).permits(LOOPBACK, 80)


@pytest.mark.parametrize(("value", "schedule"), [("0.5, 2", (0.5, 2)), ("", ()), (" ", ())])
def test_the_schedule_is_read(monkeypatch: pytest.MonkeyPatch, value: str, schedule: tuple[float, ...]) -> None:
    assert rules_of(settings(monkeypatch, RETRY_SCHEDULE=value)).retry.schedule == schedule


def test_our_own_ports_are_refused_in_an_allowed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = policy_of(
        settings(monkeypatch, ALLOW_NETWORKS="127.0.0.0/8, 10.0.0.0/8", OWN_PORTS="7001,7002", PORT="7005"), COMMON
    )
    refused = [port for port in (22, 80, 7001, 7002, 7005, 9192, 9193, 5433) if not policy.permits(LOOPBACK, port)]
    assert refused == [7001, 7002, 7005, 9192, 9193, 5433]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOW_NETWORKS", "10.0.0.1/8"),
        ("ALLOW_NETWORKS", "everywhere"),
        ("OWN_PORTS", "80,http"),
        ("RETRY_SCHEDULE", "5;10"),
        ("RETRY_SCHEDULE", "-1"),
    ],
)
def test_a_setting_that_makes_no_sense_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    wrong = settings(monkeypatch, **{name: value})
    read = rules_of if name == "RETRY_SCHEDULE" else lambda given: policy_of(given, COMMON)
    with pytest.raises(InvalidSettings, match=f"TELLBACK_ALERTING_{name}") as refusal:
        read(wrong)
    assert value not in refusal.value.detail
