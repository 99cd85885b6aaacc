"""A secret key is followed by a newer one, and ends: nothing that was made with it is lost meanwhile."""

import asyncio
import json
import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from services.cli.checks import Check, State, secret_keys
from services.cli.console import Exit
from services.cli.ring.sealing import ROWS, seal_anew
from services.outreach.domain.tokens import Tokens
from shared.db.copies import database_of
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.erasure import subjects_by
from shared.key_ring import key_id, retired
from shared.vault import Unsealable
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.processes import SOURCES, end, run_tellback, start, tellback
from tests.support.rings import NEW, OBJECTS, TEXTS, Ringed, made_with

KINDS = {
    "signing secrets of publishable keys",
    "secrets of webhook endpoints",
    "headers of webhook endpoints",
    "addresses of rooms",
    "API keys of the dashboard's people",
}
STORED = "secret keys: what they made"


async def sealed_anew(ringed: Ringed, *ring: str, now: datetime | None = None) -> dict[str, int]:
    database = database_of(ringed.environment.common)
    try:
        return await seal_anew(database, ring, now or datetime.now(UTC), lambda _kind, _count: None)
    finally:
        await database.close()


async def command(ringed: Ringed, ring: tuple[str, ...], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A `tellback secrets` command under this ring."""
    return await run_tellback(Environment(ringed.common(*ring)), "secrets", *arguments)


def named(checks: list[Check], name: str) -> Check:
    return next(check for check in checks if check.name == name)


async def test_everything_is_sealed_anew_and_opens_to_what_it_was(database_only: Environment) -> None:
    ringed = await made_with(database_only)
    before = await ringed.opened(ringed.old)
    assert {kind: len(texts) for kind, texts in before.items()} == dict.fromkeys(KINDS, 1)
    assert set(TEXTS.values()) < {texts[0] for texts in before.values()}
    assert await sealed_anew(ringed, NEW, ringed.old) == dict.fromkeys(KINDS, 1)
    assert await ringed.opened(NEW, retired(ringed.old)) == before
    with pytest.raises(Unsealable):
        await ringed.opened(ringed.old)
    assert await sealed_anew(ringed, NEW, ringed.old) == {}, "again it has nothing to do"


async def test_status_counts_by_key_and_kind(database_only: Environment) -> None:
    ringed = await made_with(database_only)
    told = json.loads((await command(ringed, (NEW, ringed.old), "status", "--json")).stdout)
    newest, older = told["keys"]
    assert (newest["key_id"], newest["state"], newest["counts"]) == (key_id(NEW), "newest", {})
    assert (older["key_id"], older["state"]) == (key_id(ringed.old), "older")
    hashed = {f"erased people, {service}": 1 for service in ("scorer", "alerting", "outreach")} | {"objections": 1}
    assert older["counts"] == dict.fromkeys(KINDS, 1) | hashed
    assert told["lost"] == []
    shown = await command(ringed, (NEW,), "status")
    assert "not in the ring" in shown.stdout
    assert "put that key back, behind the newest" in shown.stdout


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_rotation_that_was_killed_in_the_middle_is_taken_up(database_only: Environment, tmp_path: Path) -> None:
    ringed = await made_with(database_only, endpoints=10 * ROWS)
    before = await ringed.opened(ringed.old)
    ring, log = (NEW, ringed.old), tmp_path / "rotate.log"
    variables = Environment(ringed.common(*ring)).variables()
    child = start(tellback("secrets", "rotate"), log, variables)
    try:
        await eventually(lambda: "sealed anew" in log.read_text(), 90)
    finally:
        end(child, signal.SIGKILL)
    older = (await ringed.usage(*ring)).sealed_by(key_id(ringed.old))
    assert older, "it was killed before the end"
    assert await ringed.opened(*ring) == before
    again = await command(ringed, ring, "rotate")
    assert again.returncode == Exit.OK, again.stderr
    assert (await ringed.usage(*ring)).still_sealed() == []
    assert await ringed.opened(NEW) == before


async def test_a_key_is_retired_only_when_nothing_is_sealed_with_it(database_only: Environment) -> None:
    ringed = await made_with(database_only)
    refused = await command(ringed, (NEW, ringed.old), "retire", "--now")
    assert refused.returncode == Exit.FAILED
    for kind in KINDS:
        assert f"1 {kind} are sealed with {key_id(ringed.old)}" in refused.stderr
    assert "first run `tellback secrets rotate`" in refused.stderr
    await sealed_anew(ringed, NEW, ringed.old)
    done = await command(ringed, (NEW, ringed.old), "retire", "--now")
    assert done.returncode == Exit.OK, done.stderr
    assert done.stdout.splitlines()[-1] == retired(ringed.old)
    assert NEW not in done.stdout
    assert ringed.old not in done.stdout
    assert "nothing to retire" in (await command(ringed, (NEW, retired(ringed.old)), "retire")).stdout


async def test_links_in_mails_keep_the_key_that_signed_them_for_45_days(database_only: Environment) -> None:
    ringed = await made_with(database_only)
    now = datetime.now(UTC)
    async with connected(database_only.database_url) as connection:
        await connection.execute("update access.api_keys set revoked_at = now()")
        await connection.execute(
            "insert into outreach.loop_backs"
            " (loop_back_id, account_id, changed, line, language, created_at, created_by)"
            " values (gen_random_uuid(), 'acme', 'x', 'x', 'en', now(), 'test')"
        )
        await connection.execute(
            "insert into outreach.notices (notice_id, key, kind, state, due_at, data_started_at, ended_at, created_at)"
            " values (gen_random_uuid(), 'a', 'loop_back', 'sent', now(), $1, now(), now()),"
            " (gen_random_uuid(), 'b', 'loop_back', 'sent', now(), $2, now(), now())",
            now - timedelta(days=1),
            now - timedelta(days=60),
        )
    await sealed_anew(ringed, NEW, ringed.old, now=now)
    refused = await command(ringed, (NEW, ringed.old), "retire")
    assert refused.returncode == Exit.FAILED
    assert f"signed 1 mails and links until {now:%F %H:%M} UTC" in refused.stderr
    assert f"until {now + timedelta(days=45):%F}" in refused.stderr
    assert (await ringed.usage(NEW, ringed.old, now=now + timedelta(days=43))).signed
    later = await ringed.usage(NEW, ringed.old, now=now + timedelta(days=46))
    assert (later.signed, later.useless()) == ([], [ringed.old])


async def test_tokens_of_browsers_keep_the_key_for_a_day(database_only: Environment) -> None:
    ringed = await made_with(database_only)
    now = datetime.now(UTC)
    await sealed_anew(ringed, NEW, ringed.old, now=now)
    [sentence] = (await ringed.usage(NEW, ringed.old, now=now + timedelta(hours=23))).signed
    assert "tokens with which browsers change their answers" in sentence
    assert (await ringed.usage(NEW, ringed.old, now=now + timedelta(hours=25))).signed == []


async def test_whoever_was_erased_or_objects_is_recognised_by_what_is_left_of_the_key(
    database_only: Environment,
) -> None:
    ringed = await made_with(database_only)
    await sealed_anew(ringed, NEW, ringed.old)
    ring = (await ringed.usage(NEW, ringed.old)).retired_ring()
    assert ring == (NEW, retired(ringed.old))
    before = datetime.now(UTC) - timedelta(hours=1)
    for schema in ("scorer", "alerting", "outreach"):
        database = Database(database_only.database_url, schema, pool_size=1)
        async with database.read() as tx:
            facts = [("acme", "gone", before), ("acme", "ann", before)]
            assert await Journal(*subjects_by(ring)).overtaken(tx, facts) == [True, False]
        await database.close()
    async with connected(database_only.database_url) as connection:
        stored = bytes(await connection.fetchval("select address_hash from outreach.suppressions"))
    assert stored in {known.digest for known in Tokens(ring).address_hashes(OBJECTS)}


async def test_a_retired_key_under_which_nothing_stands_is_left_out(database_only: Environment) -> None:
    ringed = await made_with(database_only)
    await sealed_anew(ringed, NEW, ringed.old)
    unused = retired("Zk3v9x0A1b2C3d4E5f6G7h8I9j0K1l2M3")
    usage = await ringed.usage(NEW, retired(ringed.old), unused)
    assert usage.useless() == [unused]
    assert usage.retired_ring() == (NEW, retired(ringed.old))


async def test_a_ring_of_one_key_that_the_operator_sets_needs_a_newer_one_from_him(database_only: Environment) -> None:
    ringed = await made_with(database_only)
    refused = await command(ringed, (ringed.old,), "rotate")
    assert refused.returncode == Exit.USAGE
    assert "TELLBACK_SECRET_KEYS=NEW,OLD" in refused.stderr


async def test_the_doctor_names_keys_for_nothing_and_keys_that_are_missing(database_only: Environment) -> None:
    ringed = await made_with(database_only)
    check = partial(_checked, ringed)
    assert (await check(ringed.old, name=STORED)).state is State.OK
    missing = await check(NEW, name=STORED)
    assert missing.state is State.FAILED
    assert f"1 objections under {key_id(ringed.old)}" in missing.found
    found = await check(NEW, ringed.old, name=STORED)
    assert (found.state, found.fix) == (State.WARNING, "`tellback secrets rotate` seals it anew")
    await sealed_anew(ringed, NEW, ringed.old, now=datetime.now(UTC) - timedelta(days=2))
    unused = await check(NEW, ringed.old, name="secret keys")
    assert (unused.state, unused.found) == (State.WARNING, f"nothing needs {key_id(ringed.old)} any more")
    assert (await check(NEW, retired(ringed.old), name="secret keys")).state is State.OK
    assert (await check(NEW, retired(ringed.old), name=STORED)).state is State.OK


async def _checked(ringed: Ringed, *ring: str, name: str) -> Check:
    return named(await secret_keys.ring(ringed.common(*ring)), name)


async def test_the_commands_of_the_documents_rotate_a_ring_that_the_operator_sets(database_only: Environment) -> None:
    ringed = await made_with(database_only)
    async with connected(database_only.database_url) as connection:
        await connection.execute("update access.api_keys set revoked_at = now()")
    text = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    [block] = [block for block in text.split("```bash\n") if block.startswith("export TELLBACK_SECRET_KEYS=$OLD,$NEW")]
    commands = block.partition("```")[0]
    assert "tellback secrets retire" in commands
    program = " ".join(f'"{word}"' for word in tellback())
    script = commands.replace("\ntellback ", f"\n{program} ")
    variables = (
        os.environ | SOURCES | Environment(ringed.common(ringed.old)).variables() | {"OLD": ringed.old, "NEW": NEW}
    )
    del variables["TELLBACK_SECRET_KEY"]
    shell = partial(subprocess.run, env=variables, capture_output=True, text=True, timeout=240, check=False)
    done = await asyncio.to_thread(shell, ("bash", "-ec", script))
    assert done.returncode == Exit.OK, done.stderr
    assert done.stdout.splitlines()[-1] == retired(ringed.old)
    assert (await ringed.usage(NEW, retired(ringed.old))).lost() == []
