"""Kafka's jars: only locked jars are used, and a complete cache needs no network."""

import hashlib
from pathlib import Path

import pytest

from services.cli.embedded.jars import Jar, JarError, Jars, Lock

CONTENT = b"not really a jar"
NOWHERE = "http://127.0.0.1:9"


def jar(content: bytes = CONTENT) -> Jar:
    return Jar("example:thing:1.0", "thing-1.0.jar", hashlib.sha256(content).hexdigest(), len(content))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A local Maven repository that holds the jar; there is no other."""
    folder = tmp_path / "repository"
    place = folder / "example" / "thing" / "1.0"
    place.mkdir(parents=True)
    (place / "thing-1.0.jar").write_bytes(CONTENT)
    monkeypatch.setenv("M2_REPO", str(folder))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    return folder


def jars(cache: Path, *locked: Jar) -> Jars:
    return Jars(Lock("1.0", locked), cache)


def test_a_jar_is_fetched_into_the_cache(repository: Path, tmp_path: Path) -> None:
    ours = jars(tmp_path / "cache", jar())
    assert ours.wrong() == [jar()]
    ours.fetch(ours.wrong())
    assert ours.wrong() == []
    assert Path(ours.classpath()).read_bytes() == CONTENT


def test_a_full_cache_needs_neither_network_nor_repository(repository: Path, tmp_path: Path) -> None:
    jars(tmp_path / "cache", jar()).fetch([jar()])
    (repository / "example" / "thing" / "1.0" / "thing-1.0.jar").unlink()
    again = jars(tmp_path / "cache", jar())
    again.fetch(again.wrong())
    assert again.wrong() == []


def test_a_jar_that_was_changed_in_the_cache_is_found_and_fetched_anew(repository: Path, tmp_path: Path) -> None:
    ours = jars(tmp_path / "cache", jar())
    ours.fetch([jar()])
    Path(ours.classpath()).write_bytes(CONTENT + b"!")
    assert ours.wrong() == [jar()]
    ours.fetch(ours.wrong())
    assert ours.wrong() == []


def test_another_content_than_the_locked_one_is_never_used(repository: Path, tmp_path: Path) -> None:
    locked = jar(b"the real one")
    ours = jars(tmp_path / "cache", locked)
    with pytest.raises(JarError, match="could not be fetched"):  # the only repository has a wrong jar
        ours.fetch([locked])
    assert [path.name for path in ours.folder.iterdir()] == []


def test_without_network_the_error_says_what_to_do(repository: Path, tmp_path: Path) -> None:
    unknown = Jar("example:other:1.0", "other-1.0.jar", "0" * 64, 1)
    with pytest.raises(JarError) as raised:
        jars(tmp_path / "cache", unknown).fetch([unknown])
    assert raised.value.code == "jar_unavailable"
    assert "example:other:1.0" in raised.value.detail
    assert "TELLBACK_CACHE_DIR" in raised.value.detail


def test_the_committed_lock_is_whole_and_names_no_host() -> None:
    lock = Lock.read()
    assert f"org.apache.kafka:kafka_2.13:{lock.kafka}" in {each.coordinates for each in lock.jars}
    assert len({each.file for each in lock.jars}) == len(lock.jars)
    assert all(len(each.sha256) == 64 and each.size > 0 for each in lock.jars)
    assert not any("/" in f"{each.coordinates}{each.file}" for each in lock.jars)
