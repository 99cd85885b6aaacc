"""One role a service, made by the script that docker-compose.yml gives to PostgreSQL: each has its own rows."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from shared.db.engine import Database
from shared.db.migrate import migrate
from shared.db.roles import KEEPER, ROLE
from shared.db.schema_gate import SchemaGate
from tests.support.databases import connected, fresh_database
from tests.support.processes import THROWN_AWAY, embedded_postgres
from tests.support.roles import PASSWORD, SERVICES, make_roles, url_of

RIGHTS = """
select schemaname, tablename, wanted, has_table_privilege($1, format('%I.%I', schemaname, tablename), wanted) as has
from pg_tables, unnest(array['select', 'insert', 'update', 'delete']) as wanted
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own, since roles belong to the whole of it."""
    with embedded_postgres(THROWN_AWAY) as url:
        yield url


@pytest.fixture(scope="module")
async def owner(server: str) -> AsyncIterator[str]:
    """The owner's URL of a database that was migrated after its roles were made."""
    async with fresh_database(server, "template0") as url:
        await make_roles(url)
        await migrate(url)
        yield url


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_has_every_row_of_its_service_and_none_of_the_others(owner: str, service: str) -> None:
    async with connected(owner) as connection:
        found = await connection.fetch(RIGHTS, ROLE.format(service))
    assert {row["schemaname"] for row in found} > set(SERVICES)
    for row in found:
        if row["schemaname"] in SERVICES:
            assert row["has"] is (row["schemaname"] == service), row
    async with connected(url_of(owner, service)) as connection:
        for other in set(SERVICES) - {service}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"table {other}.schema_version")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"create table {service}.mine (id int)")
        await connection.execute("select pg_advisory_lock_shared(1, 2)")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_looks_keys_up_and_only_the_keeper_makes_them(owner: str, service: str) -> None:
    async with connected(url_of(owner, service)) as connection:
        await connection.execute("select scopes from access.api_keys")
        await connection.execute("update access.api_keys set last_used_at = now()")
        more = "update access.api_keys set scopes = '{ingest,read,act,manage,erase}'"
        if service == KEEPER:
            await connection.execute(more)
            return
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(more)


async def test_a_role_sees_whether_its_schemas_fit_and_says_where_it_has_no_right(owner: str) -> None:
    database = Database(url_of(owner, "scorer"), "scorer", pool_size=1)
    gate = SchemaGate(database, ("access", "scorer"))
    await gate.look()
    assert gate.reason is None
    closed = SchemaGate(database, ("alerting",))
    await closed.look()
    assert closed.fault is not None
    assert closed.fault.code == "schema_forbidden"
    assert (
        closed.reason == "the role of this service has no right to the schema of alerting: `tellback migrate` gives it"
    )
    await database.close()


async def test_a_role_that_is_made_later_gets_its_rights_from_the_next_migration(owner: str) -> None:
    async with connected(owner) as connection:
        await connection.execute(f"reassign owned by {ROLE.format('scorer')} to current_user")
        await connection.execute(f"drop owned by {ROLE.format('scorer')}")
        await connection.execute(f"drop role {ROLE.format('scorer')}")
        await migrate(owner)  # a role that is missing is no fault
        await connection.execute(f"create role {ROLE.format('scorer')} login password '{PASSWORD}'")
    await migrate(owner)
    async with connected(url_of(owner, "scorer")) as connection:
        await connection.execute("table scorer.responses")
