"""The examples of nginx and Caddy in `deploy/`, in the real programs: what is reachable, and how it arrives."""

import asyncio
import os
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from services.cli.connection import PORT_BASE, PORTS
from services.cli.embedded.process import free_port
from tests.support.authorities import Authority
from tests.support.echo import Echo, echoing
from tests.support.needs import needs_program
from tests.support.polling import eventually
from tests.support.processes import end, start

DEPLOY = Path(__file__).parents[3] / "deploy"
NAME = "feedback.example.com"
PACKAGES = {"nginx": "nginx-light", "caddy": "caddy"}
NGINX = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/tellback.conf;
}}
"""
PUBLIC = [
    ("dashboard", "/"),
    ("dashboard", "/login"),
    ("dashboard", "/settings"),
    ("dashboard", "/surveys/asks"),
    ("dashboard", "/_nicegui_ws/socket.io/"),
    ("dashboard", "/bring/upload"),
    ("outreach", "/s/token"),
    ("outreach", "/s/brand/4466aa.css"),
    ("outreach", "/u/token"),
    ("outreach", "/r/token"),
    ("outreach", "/v1/bounces/postmark"),
    ("collector", "/v1/responses"),
    ("collector", "/v1/responses/batch"),
    ("collector", "/v1/client.js"),
    ("alerting", "/v1/callbacks/we_1"),
]
INSIDE = [
    *("/metrics", "/docs", "/docs/assets/swagger-ui.css", "/openapi.json", "/health/live", "/health/ready"),
    *("/v1/me", "/v1/keys", "/v1/accounts", "/v1/exports/responses.csv", "/v1/webhook-endpoints", "/v1/follow-ups"),
]


class Behind(NamedTuple):
    """Services behind a running proxy."""

    url: str
    tls: ssl.SSLContext
    services: dict[str, Echo]
    folder: Path

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, verify=self.tls, trust_env=False, timeout=20)


def filled_in(example: str, echoes: dict[str, Echo]) -> str:
    """The example with the ports of the services that run here."""
    for name, offset in PORTS.items():
        example = example.replace(f"127.0.0.1:{PORT_BASE + offset}", f"127.0.0.1:{echoes[name].port}")
    return example


def of_nginx(folder: Path, port: int, certificate: tuple[Path, Path], echoes: dict[str, Echo]) -> list[str]:
    """The arguments with which nginx runs the example."""
    example = filled_in((DEPLOY / "nginx.conf").read_text(), echoes)
    example = re.sub(r"listen 443\b", f"listen 127.0.0.1:{port}", example)
    example = re.sub(r"listen 80\b", f"listen 127.0.0.1:{free_port()}", example)
    for kind, file in zip(("pem", "key"), certificate, strict=True):
        example = example.replace(f"/etc/ssl/{NAME}.{kind}", str(file))
    (folder / "tellback.conf").write_text(example)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    return ["-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


def of_caddy(folder: Path, port: int, certificate: tuple[Path, Path], echoes: dict[str, Echo]) -> list[str]:
    """The arguments with which Caddy runs the example."""
    example = filled_in((DEPLOY / "Caddyfile").read_text(), echoes)
    site = f"https://127.0.0.1:{port} {{\n\ttls {certificate[0]} {certificate[1]}\n"
    example = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + example.replace(f"{NAME} {{\n", site)
    (folder / "Caddyfile").write_text(example)
    return ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@pytest.fixture(params=PACKAGES)
async def behind(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Behind]:
    """The services behind one of the proxies."""
    program = needs_program(request.param, PACKAGES[request.param])
    authority, port = Authority(tmp_path / "authority"), free_port()
    certificate = authority.issue("proxy")
    command = {"nginx": of_nginx, "caddy": of_caddy}[request.param]
    async with echoing(*PORTS) as echoes:
        env = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
        arguments = command(tmp_path, port, certificate, echoes)
        process = start([program, *arguments], tmp_path / "log", env)
        found = Behind(f"https://127.0.0.1:{port}", ssl.create_default_context(cafile=authority.file), echoes, tmp_path)
        try:
            async with found.client() as client:

                async def answers() -> bool:
                    assert process.poll() is None, (tmp_path / "log").read_text()
                    try:
                        return (await client.get("/")).is_success
                    except httpx.TransportError:
                        return False

                await eventually(answers, 30)
            yield found
        finally:
            end(process)


async def test_what_is_public_reaches_its_service_and_nothing_else_does(behind: Behind) -> None:
    async with behind.client() as client:
        reached = [((await client.get(path)).json()["service"], path) for _, path in PUBLIC]
        refused = {path: (await client.get(path)).status_code for path in INSIDE}
    assert reached == PUBLIC
    assert refused == dict.fromkeys(INSIDE, 404)


async def test_services_learn_host_scheme_and_the_address_that_the_proxy_saw(behind: Behind) -> None:
    async with behind.client() as client:
        claimed = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}
        headers = (await client.get("/login", headers=claimed)).json()["headers"]
    assert headers["host"] == behind.url.removeprefix("https://")
    assert headers["x-forwarded-proto"] == "https"
    assert headers["x-forwarded-for"] == "127.0.0.1"


async def test_a_live_connection_is_upgraded(behind: Behind) -> None:
    host, port = behind.url.removeprefix("https://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=behind.tls)
    writer.write(
        f"GET /_nicegui_ws/socket.io/?transport=websocket HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    assert b" 101 " in head.splitlines()[0]
    writer.write(b"ping")
    assert await asyncio.wait_for(reader.readexactly(4), 10) == b"ping"
    writer.close()


async def test_events_of_a_stream_pass_one_by_one(behind: Behind) -> None:
    async with behind.client() as client, client.stream("GET", "/v1/stream") as stream:
        lines = stream.aiter_lines()
        assert await asyncio.wait_for(anext(lines), 10) == "data: first"
        behind.services["scorer"].go_on.set()
        assert [line async for line in lines if line] == ["data: second"]


async def test_large_files_pass_to_the_dashboard_and_links_of_respondents_are_not_logged(behind: Behind) -> None:
    async with behind.client() as client:
        large = os.urandom(7_000_000)
        assert (await client.post("/bring/upload", content=large)).json()["service"] == "dashboard"
        assert (await client.get("/s/a-secret-token")).is_success
    written = "".join(path.read_text(errors="replace") for path in behind.folder.glob("*log"))
    assert "a-secret-token" not in written
