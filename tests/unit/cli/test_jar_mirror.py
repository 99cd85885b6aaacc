"""Kafka's jars from a mirror: a small server stands in for a company's Nexus."""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from services.cli.embedded.jars import JarError
from tests.support.authorities import Authority
from tests.unit.cli.test_jars import CONTENT, NOWHERE, jar, jars

LOOPBACK = "127.0.0.1"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Clients that do not trust us leave in the middle of a handshake."""


@contextlib.contextmanager
def serving(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address at which the files of a folder are served."""
    server = Server((LOOPBACK, 0), partial(Quiet, directory=str(folder)))
    scheme = "http"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{scheme}://{LOOPBACK}:{server.server_address[1]}/maven"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a server that has the jar; there is nothing elsewhere."""
    place = tmp_path / "served" / "maven" / "example" / "thing" / "1.0"
    place.mkdir(parents=True)
    (place / "thing-1.0.jar").write_bytes(CONTENT)
    monkeypatch.setenv("M2_REPO", str(tmp_path / "empty"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, LOOPBACK)
    return tmp_path / "served"


def test_a_jar_comes_from_the_mirror(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(mirror) as url:
        monkeypatch.setenv("TELLBACK_JARS_URL", f"{url}/")
        ours = jars(tmp_path / "cache", jar())
        ours.fetch(ours.wrong())
    assert ours.wrong() == []


def test_a_mirror_that_does_not_answer_is_named_by_its_variable(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_JARS_URL", NOWHERE.replace("://", "://reader:hunter2@"))
    with pytest.raises(JarError, match="TELLBACK_JARS_URL") as raised:
        jars(tmp_path / "cache", jar()).fetch([jar()])
    assert "hunter2" not in raised.value.detail


def test_a_mirror_behind_a_private_authority(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path / "authority")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("mirror"))
    with serving(mirror, context) as url:
        monkeypatch.setenv("TELLBACK_JARS_URL", url)
        ours = jars(tmp_path / "cache", jar())
        with pytest.raises(JarError, match="TELLBACK_JARS_CA_FILE"):
            ours.fetch([jar()])
        monkeypatch.setenv("TELLBACK_JARS_CA_FILE", str(tmp_path / "gone"))
        with pytest.raises(JarError, match="gone, which TELLBACK_JARS_CA_FILE names, cannot be read"):
            ours.fetch([jar()])
        monkeypatch.setenv("TELLBACK_JARS_CA_FILE", str(authority.file))
        ours.fetch([jar()])
    assert ours.wrong() == []
