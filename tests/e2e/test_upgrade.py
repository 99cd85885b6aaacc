"""From one release to the next without stopping, and back: services of an earlier commit and of this one work on one
database side by side, and wait for a schema that does not fit."""

import asyncio
import contextlib
import re
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from services.cli.embedded.process import free_port
from shared.ids import uuid7
from tests.support.backups import empty_beside
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.installation import SCOPES, SERVICES, Installation
from tests.support.needs import needs_commit
from tests.support.polling import eventually
from tests.support.processes import end, run_tellback, start, tellback
from tests.support.schema_levels import migrate_to_a_newer_release, migrate_to_first_revisions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]
COMMIT = (Path(__file__).parent / "previous_commit").read_text(encoding="utf-8").strip()
"""The earlier commit. Where a schema does not work with it any more, the commit of a later release takes its place."""
ROLLED = ("scorer", "alerting", "collector")
"""Readers before the writer."""
CLIENTS, PAUSE_SECONDS = 4, 0.05
ACCOUNTS = 5
SETTLE_SECONDS = 60.0


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files of the earlier commit."""
    needs_commit(ROOT, COMMIT)
    folder = tmp_path_factory.mktemp("previous") / "tree"
    git("worktree", "add", "--detach", str(folder), COMMIT)
    try:
        yield folder
    finally:
        git("worktree", "remove", "--force", str(folder))


def git(*arguments: str) -> None:
    done = subprocess.run(("git", "-C", str(ROOT), *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@dataclass
class Posts:
    """Answers that clients post to one of the collectors until it is taken."""

    key: str
    urls: list[str]
    taken: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Response -> account and score."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, number: int) -> None:
        """Post one answer after the other until it is over."""
        count = number
        async with httpx.AsyncClient(headers=bearer(self.key), timeout=20, trust_env=False) as client:
            while not self.over.is_set():
                count += CLIENTS
                await self._until_taken(client, f"account-{count % ACCOUNTS}", count * 7 % 11)
                await self._pause()

    async def _until_taken(self, client: httpx.AsyncClient, account_id: str, score: int) -> None:
        response_id = str(uuid7())
        body = {
            "response_id": response_id,
            "account_id": account_id,
            "stakeholder_id": response_id,
            "survey_type": "nps",
            "score": score,
        }
        for turn in range(1_000):
            url = self.urls[turn % len(self.urls)]
            with contextlib.suppress(httpx.TransportError):  # of a collector that was just stopped
                answer = await client.post(f"{url}/v1/responses", json=body)
                if answer.status_code == httpx.codes.ACCEPTED:
                    self.taken[response_id] = account_id, score
                    return
                assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
            await self._pause()
        raise AssertionError("no collector takes answers")

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), PAUSE_SECONDS)

    async def grown(self, more: int = 40) -> None:
        """Wait until so many more answers have been taken."""
        aim = len(self.taken) + more
        await eventually(lambda: len(self.taken) >= aim, SETTLE_SECONDS)


@contextlib.asynccontextmanager
async def posting(key: str, url: str) -> AsyncIterator[Posts]:
    """Clients that post during the block; what they began is brought to its end."""
    posts = Posts(key, [url])
    clients = [asyncio.create_task(posts.run(number)) for number in range(CLIENTS)]
    try:
        yield posts
    finally:
        posts.over.set()
        await asyncio.gather(*clients)


async def test_an_earlier_commit_works_on_a_newer_schema_and_is_replaced_under_load(
    environment: Environment, previous: Path, tmp_path: Path
) -> None:
    key = await api_key(environment, SCOPES)
    logs = {name: tmp_path / name for name in ("old", "new")}
    for folder in logs.values():
        folder.mkdir()
    old = Installation(environment, logs["old"], key, {"PYTHONPATH": str(previous)})
    new = Installation(environment, logs["new"], key)
    try:
        for service in ROLLED:
            old.start(service)
        await old.ready(*ROLLED)
        async with posting(key, old.url("collector")) as posts:
            await posts.grown()
            await migrate_to_a_newer_release(environment.database_url)
            await posts.grown()
            await old.ready(*ROLLED)
            for service in ROLLED:
                new.start(service)
            await new.ready(*ROLLED)
            posts.urls.append(new.url("collector"))
            await posts.grown()
            posts.urls.reverse()
            for service in ROLLED:
                assert await asyncio.to_thread(old.end, service) in (0, -15), old.log(service)[-3000:]
            await posts.grown()
        await check_nothing_is_lost_and_scores_are_exact(new, posts)
        for installation in (old, new):
            for service in ROLLED:
                assert not re.search(r"(relation|column) \S+ does not exist", installation.log(service)), service
    finally:
        await old.stop()
        await new.stop()


async def check_nothing_is_lost_and_scores_are_exact(new: Installation, posts: Posts) -> None:
    """Every answer that was taken is stored once, and each account's figures are those of plain counting."""
    async with connected(new.environment.database_url) as connection:

        async def stored() -> bool:
            found = await connection.fetch("select response_id from scorer.responses")
            return {row["response_id"] for row in found} == posts.taken.keys()

        await eventually(stored, SETTLE_SECONDS)
    by_account: dict[str, Counter[int]] = {}
    for account_id, score in posts.taken.values():
        by_account.setdefault(account_id, Counter())[score] += 1
    assert len(by_account) == ACCOUNTS
    for account_id, scores in by_account.items():
        counted = await new.get("scorer", f"/v1/accounts/{account_id}/score")
        expected = scores.total(), scores[9] + scores[10], sum(scores[score] for score in range(7))
        assert (counted["response_count"], counted["promoter_count"], counted["detractor_count"]) == expected
        await eventually(lambda account_id=account_id: has_follow_up(new, account_id), SETTLE_SECONDS)  # type: ignore[misc]


async def test_migrate_of_an_earlier_commit_ends_well_on_a_newer_schema(
    environment: Environment, previous: Path
) -> None:
    await migrate_to_a_newer_release(environment.database_url)
    done = await run_tellback(environment, "migrate", tree=previous)
    assert done.returncode == 0, done.stderr
    assert "left as a newer release has migrated it, since this one works with it" in done.stdout
    assert "scorer_99" in done.stdout


async def test_every_service_waits_for_its_schema_by_name_and_goes_on_once_it_is_migrated(
    environment: Environment, postgres_url: str, tmp_path: Path
) -> None:
    """Schemas of several revisions are left at their first, those of one are missing."""
    async with empty_beside(environment, postgres_url) as older:
        await migrate_to_first_revisions(older)
        waiting = Installation(older, tmp_path, await api_key(older, SCOPES))
        pages = free_port()
        dashboard = start(
            tellback("serve", "dashboard", "--port", str(pages), "--pause", "0"),
            tmp_path / "dashboard.log",
            older.variables(),
        )
        urls = {service: waiting.url(service) for service in SERVICES} | {"dashboard": f"http://127.0.0.1:{pages}"}
        try:
            for service in SERVICES:
                waiting.start(service)
            async with httpx.AsyncClient(trust_env=False) as client:
                for service, url in urls.items():
                    said = await eventually(lambda url=url: reason(client, url), SETTLE_SECONDS)  # type: ignore[misc]
                    assert f"the schema of {service} is at " in said
                    assert "run `tellback migrate`" in said
                planned = await run_tellback(older, "migrate", "--plan")
                assert "alerting_2" in planned.stdout
                for url in urls.values():
                    assert await reason(client, url), "a plan migrates nothing"
                done = await run_tellback(older, "migrate")
                assert done.returncode == 0, done.stderr
                for url in urls.values():
                    await eventually(lambda url=url: ready(client, url), SETTLE_SECONDS)  # type: ignore[misc]
            posted = await waiting.collector.post(
                "/v1/responses", json={"account_id": "acme", "stakeholder_id": "ann", "survey_type": "nps", "score": 2}
            )
            assert posted.status_code == httpx.codes.ACCEPTED, posted.text
            await eventually(lambda: has_follow_up(waiting, "acme"), SETTLE_SECONDS)
        finally:
            await waiting.stop()
            end(dashboard)


async def reason(client: httpx.AsyncClient, url: str) -> str:
    """Why a service is not ready; empty while it does not answer or is ready."""
    try:
        answer = await client.get(f"{url}/health/ready")
    except httpx.TransportError:
        return ""
    checks = answer.json()["checks"]
    if not checks:
        return ""
    return str(checks[0]["reason"] or "")


async def ready(client: httpx.AsyncClient, url: str) -> bool:
    return (await client.get(f"{url}/health/ready")).is_success


async def has_follow_up(installation: Installation, account_id: str) -> bool:
    found = await installation.get("alerting", "/v1/follow-ups", account_id=account_id)
    return bool(found["items"])
