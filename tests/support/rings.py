"""One of everything that is made with a secret key, and what is read of it under another ring."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from pydantic import SecretStr

from services.cli.ring.sealed import SEALED
from services.cli.ring.usage import Usage, usage_of
from services.outreach.domain.tokens import Tokens
from shared.access.browser import BrowserSecrets
from shared.access.store import NewKey, create_key
from shared.db.copies import database_of
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.erasure import subject_by
from shared.settings import CommonSettings
from shared.vault import Vault
from tests.support.environment import Environment

NEW = "pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7"
USER = UUID("00000000-0000-0000-0000-000000000001")
OBJECTS = "stopped@acme.example"
TEXTS = {
    "alerting.webhook_secrets": "whsec_of_the_receiver",
    "alerting.webhook_endpoints": '{"x-crm": "ours"}',
    "alerting.notifications": "https://rooms.example/hook",
    "dashboard.keys": "tb_of_a_person",
}
"""Table -> what is sealed in it; the signing secret is random."""
_PAGES = NewKey("pages", frozenset(), publishable=True, origins=("https://app.acme.example",), require_signature=True)


@dataclass(frozen=True, slots=True)
class Ringed:
    """An environment whose settings can name another ring."""

    environment: Environment

    @property
    def old(self) -> str:
        """The key with which the environment begins."""
        return self.environment.common.key_ring[0]

    def common(self, *ring: str) -> CommonSettings:
        """The settings with this ring."""
        return self.environment.common.model_copy(update={"secret_keys": tuple(map(SecretStr, ring))})

    async def usage(self, *ring: str, now: datetime | None = None) -> Usage:
        """What stands under which key."""
        database = database_of(self.environment.common)
        try:
            async with database.read() as tx:
                return await usage_of(tx, ring, now or datetime.now(UTC))
        finally:
            await database.close()

    async def opened(self, *ring: str) -> dict[str, Sequence[str]]:
        """Everything that is sealed, by kind. Raises `Unsealable` where one thing cannot be opened under this ring."""
        database = database_of(self.environment.common)
        found: dict[str, Sequence[str]] = {}
        try:
            async with database.read() as tx:
                for kept in SEALED:
                    rows = await tx.rows(
                        f"select cast({kept.owner} as text), {kept.column} from {kept.table} where {kept.there}"  # noqa: S608
                        f" order by {kept.key}"
                    )
                    vault = Vault(ring, kept.purpose)
                    found[kept.kind] = [vault.open(bytes(sealed), kept.belongs_to(owner)) for owner, sealed in rows]
        finally:
            await database.close()
        return found


async def made_with(environment: Environment, endpoints: int = 1) -> Ringed:
    """One of everything, made with the environment's key: sealed, hashed; `endpoints` with a secret and a header."""
    ringed = Ringed(environment)
    ring = environment.common.key_ring
    database = Database(environment.database_url, "public", pool_size=1)
    try:
        async with database.write() as tx:
            await create_key(tx, _PAGES, datetime.now(UTC), BrowserSecrets(ring))
            await _owners(tx, endpoints)
            await _sealed(tx, ring)
            await _hashed(tx, ring)
    finally:
        await database.close()
    return ringed


async def _owners(tx: WriteTx, endpoints: int) -> None:
    await tx.execute(
        "insert into alerting.webhook_endpoints (endpoint_id, url, sealed_headers, created_by, created_at, updated_at)"
        " select 'we_' || number, 'https://crm.example/', ''::bytea, 'test', now(), now()"
        " from generate_series(1, :endpoints) as number",
        endpoints=endpoints,
    )
    await tx.execute(
        "insert into alerting.webhook_secrets (endpoint_id, sealed, created_at)"
        " select endpoint_id, ''::bytea, now() from alerting.webhook_endpoints"
    )
    await tx.execute(
        "insert into alerting.notifications (notification_id, channel, topics, host, sealed_url, min_severity,"
        " quiet_hours, created_by, created_at)"
        " values ('n1', 'slack', '{follow_ups}', 'rooms.example', ''::bytea, 'low', false, 'test', now())"
    )
    await tx.execute(
        "insert into dashboard.users (user_id, email, name, role, created_at)"
        " values (:user_id, 'ada@example.com', 'Ada', 'admin', now())",
        user_id=USER,
    )
    await tx.execute(
        "insert into dashboard.keys (key_id, user_id, sealed, role, scopes, created_at)"
        " values ('k1', :user_id, ''::bytea, 'admin', '{}', now())",
        user_id=USER,
    )


async def _sealed(tx: WriteTx, ring: tuple[str, ...]) -> None:
    for kept in SEALED:
        if kept.table not in TEXTS:
            continue
        vault, rows = Vault(ring, kept.purpose), []
        for key, owner in await tx.rows(
            f"select cast({kept.key} as text), cast({kept.owner} as text) from {kept.table}"  # noqa: S608
        ):
            rows.append({"key": key, "sealed": vault.seal(TEXTS[kept.table], kept.belongs_to(owner))})
        await tx.execute_many(
            f"update {kept.table} set {kept.column} = :sealed where cast({kept.key} as text) = :key",  # noqa: S608
            rows,
        )


async def _hashed(tx: WriteTx, ring: tuple[str, ...]) -> None:
    subject = subject_by(ring[0])("acme", "gone")
    for schema in ("scorer", "alerting", "outreach"):
        await tx.execute(
            f"insert into {schema}.erasures (receipt_id, subject, account_id, erased_at, applied_at)"  # noqa: S608
            " values (gen_random_uuid(), :subject, 'acme', now(), now())",
            subject=subject,
        )
    objects = Tokens(ring).address_hash(OBJECTS)
    await tx.execute(
        "insert into outreach.suppressions (suppression_id, address_hash, key_id, source, created_at, created_by)"
        " values (gen_random_uuid(), :digest, :key_id, 'import', now(), 'test')",
        digest=objects.digest,
        key_id=objects.key_id,
    )
