"""Settings come from the environment or from files, refuse weak secrets, and never repeat a value."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.key_ring import retired
from shared.settings import CommaList, CommonSettings, InvalidSettings, Settings
from shared.unknown_variables import unknown_variables

OTHER = "pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7"
STRONG = "Zk3v9x0A1b2C3d4E5f6G7h8I9j0K1l2M3"
NEEDED = {
    "TELLBACK_KAFKA_BOOTSTRAP_SERVERS": "broker:9092",
    "TELLBACK_DATABASE_URL": "postgresql://user:hunter2@host/db",
    "TELLBACK_SECRET_KEY": STRONG,
}


class ExampleSettings(Settings):
    """Settings of a made-up service."""

    model_config = SettingsConfigDict(env_prefix="TELLBACK_EXAMPLE_")

    port: int = Field(default=8002, description="Where it listens.")
    networks: CommaList = Field(default=(), description="A list.")
    password: SecretStr | None = Field(default=None, description="A secret that may be missing.")
    key_file: str = Field(default="", description="A variable that ends in _FILE by its own name.")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with the required settings of a service and no others of Tellback."""
    for names in [*CommonSettings.names().values(), *ExampleSettings.names().values()]:
        for name in names:
            monkeypatch.delenv(name, raising=False)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_defaults_and_given_values(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TELLBACK_PARTITIONS", "24")
    environment.setenv("TELLBACK_LOG_LEVEL", "")
    settings = CommonSettings.load()
    assert (settings.kafka_bootstrap_servers, settings.partitions) == ("broker:9092", 24)
    assert (settings.replication_factor, settings.host, settings.log_level) == (1, "127.0.0.1", "info")


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", "CEST"])
def test_a_time_zone_that_nobody_knows_is_refused(environment: pytest.MonkeyPatch, zone: str) -> None:
    environment.setenv("TELLBACK_TIME_ZONE", zone)
    with pytest.raises(InvalidSettings) as refused:
        CommonSettings.load()
    assert [error["field"] for error in refused.value.errors or []] == ["TELLBACK_TIME_ZONE"]


def test_the_usual_name_of_the_database_is_taken_too(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("TELLBACK_DATABASE_URL")
    environment.setenv("DATABASE_URL", "postgresql://other/db")
    assert CommonSettings.load().database_url == "postgresql://other/db"
    environment.setenv("TELLBACK_DATABASE_URL", "postgresql://own/db")
    assert CommonSettings.load().database_url == "postgresql://own/db"


@pytest.mark.parametrize("name", ["TELLBACK_SECRET_KEY", "TELLBACK_DATABASE_URL", "DATABASE_URL"])
def test_every_variable_may_come_from_a_file(environment: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    for each in (name, "TELLBACK_DATABASE_URL" if name == "DATABASE_URL" else name):
        environment.delenv(each, raising=False)
    file = tmp_path / "value"
    file.write_text(STRONG + "\n")
    environment.setenv(f"{name}_FILE", str(file))
    settings = CommonSettings.load()
    assert STRONG in (settings.secret_key.get_secret_value(), settings.database_url)


def test_a_file_that_cannot_be_read_is_named_by_its_variable(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("TELLBACK_SECRET_KEY")
    environment.setenv("TELLBACK_SECRET_KEY_FILE", "/nowhere/at/all")
    with pytest.raises(InvalidSettings, match="TELLBACK_SECRET_KEY_FILE") as caught:
        CommonSettings.load()
    assert "nowhere" not in str(caught.value)


def test_a_value_and_a_file_are_one_too_many(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TELLBACK_SECRET_KEY_FILE", "/some/file")
    with pytest.raises(InvalidSettings) as caught:
        CommonSettings.load()
    assert caught.value.code == "two_values"


def test_a_name_that_ends_in_file_is_no_file(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TELLBACK_EXAMPLE_KEY_FILE", "/var/keys.json")
    assert ExampleSettings.load().key_file == "/var/keys.json"


@pytest.mark.parametrize(
    "weak",
    ["", "short", "a" * 64, "change-me-change-me-change-me-change-me", "this-is-the-default-key-of-everybody-0123"],
)
def test_weak_secrets_are_refused(environment: pytest.MonkeyPatch, weak: str) -> None:
    environment.setenv("TELLBACK_SECRET_KEY", weak)
    with pytest.raises(InvalidSettings) as caught:
        CommonSettings.load()
    assert [error["field"] for error in caught.value.errors or []] == ["TELLBACK_SECRET_KEY"]
    assert not weak or weak not in str(caught.value)


@pytest.mark.parametrize("text", [f"{OTHER},{STRONG}", f" {OTHER} , {STRONG}, ", f"{OTHER}\n{STRONG}\n"])
def test_a_ring_of_keys_is_read_the_newest_first(environment: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    environment.delenv("TELLBACK_SECRET_KEY")
    environment.setenv("TELLBACK_SECRET_KEYS", text)
    settings = CommonSettings.load()
    assert (settings.key_ring, settings.secret_key.get_secret_value()) == ((OTHER, STRONG), OTHER)
    assert OTHER not in str(settings.shown()) + repr(settings)
    environment.delenv("TELLBACK_SECRET_KEYS")
    file = tmp_path / "keys"
    file.write_text(text)
    environment.setenv("TELLBACK_SECRET_KEYS_FILE", str(file))
    assert CommonSettings.load().key_ring == (OTHER, STRONG)


def test_one_key_is_a_ring_of_one(environment: pytest.MonkeyPatch) -> None:
    assert CommonSettings.load().key_ring == (STRONG,)


@pytest.mark.parametrize("name", ["TELLBACK_SECRET_KEYS", "TELLBACK_SECRET_KEYS_FILE"])
def test_the_keys_are_given_by_one_name(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.setenv(name, OTHER)
    with pytest.raises(InvalidSettings) as caught:
        CommonSettings.load()
    assert (caught.value.code, OTHER in str(caught.value)) == ("two_values", False)


@pytest.mark.parametrize(
    ("ring", "fault"),
    [
        (",", "must name a key"),
        (f"{STRONG},short", "key 2 must have"),
        (f"{'a' * 64} {STRONG}", "key 1"),
        (f"{STRONG},{OTHER},{STRONG}", "key 3 is key 1 once more"),
        (f"{STRONG},retired:x", "key 2 must be whole"),
        (f"{retired(STRONG)},{OTHER}", "key 1 is retired"),
    ],
)
def test_a_ring_with_a_bad_short_or_repeated_key_is_one_error(
    environment: pytest.MonkeyPatch, ring: str, fault: str
) -> None:
    environment.delenv("TELLBACK_SECRET_KEY")
    environment.setenv("TELLBACK_SECRET_KEYS", ring)
    with pytest.raises(InvalidSettings, match=fault) as caught:
        CommonSettings.load()
    assert [error["field"] for error in caught.value.errors or []] == ["TELLBACK_SECRET_KEY"]
    assert STRONG not in str(caught.value)


def test_all_faults_are_told_at_once_and_without_values(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("TELLBACK_DATABASE_URL")
    environment.setenv("TELLBACK_PARTITIONS", "hunter2")
    environment.setenv("TELLBACK_LOG_FORMAT", "hunter2")
    with pytest.raises(InvalidSettings) as caught:
        CommonSettings.load()
    assert {error["field"]: error["detail"] for error in caught.value.errors or []}[
        "TELLBACK_DATABASE_URL"
    ] == "must be set"
    assert {error["field"] for error in caught.value.errors or []} == {
        "TELLBACK_DATABASE_URL",
        "TELLBACK_PARTITIONS",
        "TELLBACK_LOG_FORMAT",
    }
    assert "hunter2" not in f"{caught.value}{caught.value.errors}"


def test_secrets_are_masked_wherever_settings_are_shown(environment: pytest.MonkeyPatch) -> None:
    settings = CommonSettings.load()
    assert settings.shown()["TELLBACK_DATABASE_URL"] == "postgresql://user:********@host/db"
    assert settings.shown()["TELLBACK_SECRET_KEY"] == "********"
    environment.setenv("TELLBACK_EXAMPLE_PASSWORD", "hunter2")
    text = f"{settings!r} {settings} {settings.shown()} {ExampleSettings.load().shown()} {ExampleSettings.load()!r}"
    assert "hunter2" not in text
    assert STRONG not in text


def test_lists_are_separated_by_commas(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TELLBACK_EXAMPLE_NETWORKS", "10.0.0.0/8, 192.168.1.0/24,")
    settings = ExampleSettings.load()
    assert settings.networks == ("10.0.0.0/8", "192.168.1.0/24")
    assert settings.shown()["TELLBACK_EXAMPLE_NETWORKS"] == "10.0.0.0/8,192.168.1.0/24"


def test_the_table_says_what_is_required_and_what_is_secret() -> None:
    table = {variable.name: variable for variable in [*CommonSettings.variables(), *ExampleSettings.variables()]}
    assert table["TELLBACK_DATABASE_URL"].default is None
    assert table["TELLBACK_PARTITIONS"].default == "6"
    assert table["TELLBACK_SECRET_KEY"].secret
    assert table["TELLBACK_EXAMPLE_PASSWORD"].secret
    assert all(variable.description for variable in table.values())


def test_a_field_without_a_description_is_refused() -> None:
    with pytest.raises(TypeError, match="nameless"):

        class Nameless(Settings):
            nameless: int = 1


def test_unknown_variables_are_told_with_their_likely_name() -> None:
    environment = {
        "TELLBACK_DATABSE_URL": "x",
        "TELLBACK_EXAMPLE_PROT": "x",
        "TELLBACK_SECRET_KEY_FILE": "x",
        "TELLBACK_EXAMPLE_PORT": "x",
        "TELLBACK_TEST_DATABASE_URL": "x",
        "TELLBACK_ZZZZZZZZZZZZZZZZZZZZZZ": "x",
        "PATH": "x",
    }
    assert unknown_variables([CommonSettings, ExampleSettings], environment) == [
        ("TELLBACK_DATABSE_URL", "TELLBACK_DATABASE_URL"),
        ("TELLBACK_EXAMPLE_PROT", "TELLBACK_EXAMPLE_PORT"),
        ("TELLBACK_ZZZZZZZZZZZZZZZZZZZZZZ", None),
    ]
