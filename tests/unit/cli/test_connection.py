"""Where commands find things: the environment wins over the data folder."""

import os
from ipaddress import ip_address
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.alerting.app import policy_of
from services.alerting.settings import AlertingSettings
from services.cli.checks.machine import mail_relay
from services.cli.connection import PORT_BASE, PORTS, api_key, common_settings, service_url
from services.cli.demo.cast import OWNERS
from services.cli.folder import DataFolder
from services.cli.processes import (
    MAIL,
    backing,
    embedded_wanted,
    mail_environment,
    mail_part,
    service_environment,
)
from services.cli.services import installed_services, service_settings
from services.outreach.settings import OutreachSettings
from shared.errors import Unavailable
from shared.settings import CommonSettings, InvalidSettings

OTHER = "pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7"
SECRET = "Zk3vQ8pLw1xNc7RtYb5MfHs2Ug9JdEaT6"
COMMON = CommonSettings(
    kafka_bootstrap_servers="kafka:9092", database_url="postgresql://db/tellback", secret_keys=(SecretStr(SECRET),)
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("TELLBACK_") or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", os.environ.copy())  # commands set variables for their children


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.make()
    made.make_secret_key()
    made.keep_ports({"kafka": 5001, "kafka_controller": 5003, "postgres": 5002})
    for part in (made.postgres, made.kafka):
        part.mkdir()
        (part / "password").write_text("geheim")
    return made


def test_the_data_folder_says_what_the_environment_does_not(folder: DataFolder) -> None:
    common = common_settings(folder.path)
    assert common.kafka_bootstrap_servers == "127.0.0.1:5001"
    assert common.kafka_sasl_password.get_secret_value() == "geheim"
    assert common.database_url.endswith("@127.0.0.1:5002/tellback")
    assert common.secret_key.get_secret_value() == folder.secret_key.read_text()


@pytest.mark.parametrize("name", ["TELLBACK_DATABASE_URL", "DATABASE_URL"])
def test_the_environment_comes_first(folder: DataFolder, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "postgresql://me@elsewhere/feedback")
    monkeypatch.setenv("TELLBACK_SECRET_KEY", SECRET)
    assert embedded_wanted() == (True, False)
    common = common_settings(folder.path)
    assert common.database_url == "postgresql://me@elsewhere/feedback"
    assert common.secret_key.get_secret_value() == SECRET
    assert common.kafka_bootstrap_servers == "127.0.0.1:5001"


def test_a_ring_of_the_environment_comes_before_the_key_of_the_folder(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_SECRET_KEYS", f"{OTHER},{SECRET}")
    assert common_settings(folder.path).key_ring == (OTHER, SECRET)


def test_the_file_of_the_folder_may_be_a_ring(folder: DataFolder) -> None:
    before = folder.secret_key.read_text()
    folder.secret_key.write_text(f"{SECRET}\n{before}\n")
    assert common_settings(folder.path).key_ring == (SECRET, before)


def test_nothing_is_embedded_where_both_are_named(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [part.name for part in backing(folder).parts()] == ["postgres", "kafka"]
    monkeypatch.setenv("TELLBACK_KAFKA_BOOTSTRAP_SERVERS", "kafka.example:9092")
    monkeypatch.setenv("TELLBACK_DATABASE_URL_FILE", "/run/secrets/database-url")
    assert backing(folder).parts() == []


def test_without_either_the_error_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="--data"):
        common_settings(tmp_path / "none")


def test_an_address_needs_something_that_runs(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable, match="tellback up"):
        service_url("scorer", folder.path)
    with folder.held(9000):
        assert service_url("scorer", folder.path) == "http://127.0.0.1:9002"
    monkeypatch.setenv("TELLBACK_SCORER_URL", "https://scores.example/")
    assert service_url("scorer", folder.path) == "https://scores.example"


def test_the_key_is_the_first_one_unless_another_is_named(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings, match="TELLBACK_API_KEY"):
        api_key(folder.path)
    folder.first_key.write_text("tb_first\n")
    assert api_key(folder.path) == "tb_first"
    monkeypatch.setenv("TELLBACK_API_KEY", "tb_other")
    assert api_key(folder.path) == "tb_other"


def test_services_learn_where_the_others_listen(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    told = service_environment(folder, 9000, demo=False)
    assert told["TELLBACK_BENCHMARK_SCORER_URL"] == "http://127.0.0.1:9002"
    assert "TELLBACK_ALERTING_ALLOW_NETWORKS" not in told
    assert service_environment(folder, 9000, demo=True)["TELLBACK_ALERTING_ALLOW_NETWORKS"] == "127.0.0.1/32"
    monkeypatch.setenv("TELLBACK_BENCHMARK_SCORER_URL", "https://scores.example")
    assert "TELLBACK_BENCHMARK_SCORER_URL" not in service_environment(folder, 9000, demo=False)


def test_mails_of_the_demo_stay_here_unless_a_relay_is_named(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = mail_part(folder)
    assert part is not None
    for name, value in mail_environment(part.port).items():
        monkeypatch.setenv(name, value)
    relay = OutreachSettings.load().relay
    assert relay is not None
    assert (relay.host, relay.port, relay.security) == ("127.0.0.1", part.port, "none")
    assert OutreachSettings.load().sender_domains == (OWNERS[0][1].partition("@")[2],)
    assert mail_part(folder) is None
    assert mail_environment(part.port) == {}


def test_the_doctor_says_where_mails_go(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mail_relay(folder).found == "none is set: outreach sends no mail; links work"
    folder.note_running({"parts": {MAIL: {}}})
    assert str(folder.mails) in mail_relay(folder).found
    monkeypatch.setenv("TELLBACK_OUTREACH_SMTP_HOST", "relay.supplier.example")
    assert mail_relay(folder).found.startswith("one is set")


def test_every_port_of_the_installation_is_closed_to_webhooks(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.keep_ports({"kafka": 40_001, "kafka_controller": 40_002, "postgres": 40_003})
    told = service_environment(folder, 9000, demo=True)
    for name in ("TELLBACK_ALERTING_OWN_PORTS", "TELLBACK_ALERTING_ALLOW_NETWORKS"):
        monkeypatch.setenv(name, told[name])
    policy = policy_of(AlertingSettings.load(), COMMON)
    services = range(9000, 9006)  # the last is reserved for outreach
    loopback = ip_address("127.0.0.1")
    assert not [port for port in (*services, 40_001, 40_002, 40_003) if policy.permits(loopback, port)]
    assert policy.permits(loopback, 8010), "where `tellback webhook-listen` is"


def test_the_ports_that_services_have_by_default_are_closed_to_webhooks() -> None:
    policy = policy_of(AlertingSettings.load().model_copy(update={"allow_networks": ("127.0.0.0/8",)}), COMMON)
    ports = [service_settings(name).port for name in installed_services()]
    assert ports == [PORT_BASE + offset for offset in PORTS.values()]
    controller = 9093
    assert not [port for port in (*ports, controller) if policy.permits(ip_address("127.0.0.1"), port)]
