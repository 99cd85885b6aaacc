"""One role of PostgreSQL a service, where an administrator has made it: it has the rows of its service's schema and
nothing of the others', so that who breaks into one service does not hold the data of all.

Roles own nothing: `tellback migrate` changes the schemas as their owner, and gives the rights out each time.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

ROLE = "tellback_{}"
"""The role of a service."""
KEYS = "access"
"""The schema of API keys, which every service looks up. The `KEEPER` alone makes and revokes them."""
KEEPER = "collector"
_ROWS = "select, insert, update, delete"
_LOCKS = """
do $$
declare
    function regprocedure;
begin
    for function in
        select oid from pg_proc where pronamespace = 'pg_catalog'::regnamespace
        and proname ~ '^pg_(try_)?advisory_' and pg_has_role(proowner, 'usage')
    loop
        execute format('grant execute on function %s to {role}', function);
    end loop;
end
$$
"""
"""A migration of the scorer takes advisory locks from those that are not named, where it may."""


def grant(connection: Connection, schema: str, services: Iterable[str]) -> None:
    """Give the roles of these services that exist what they need of a schema. Harmless when it was done before."""
    there = set(connection.scalars(text("select rolname from pg_roles")))
    for service in services:
        role = ROLE.format(service)
        if role not in there:
            continue
        for statement in _rights(schema, service, role):
            connection.execute(text(statement))


def _rights(schema: str, service: str, role: str) -> list[str]:
    """The statements that give a service's role its rights on a schema; none on that of another service."""
    enter = f"grant usage on schema {schema} to {role}"
    if schema == service:
        return [enter, f"grant {_ROWS} on all tables in schema {schema} to {role}", _LOCKS.format(role=role)]
    if schema != KEYS:
        return []
    if service == KEEPER:
        return [enter, f"grant {_ROWS} on all tables in schema {schema} to {role}"]
    return [
        enter,
        f"grant select on all tables in schema {schema} to {role}",
        f"grant update (last_used_at) on {schema}.api_keys to {role}",
    ]
