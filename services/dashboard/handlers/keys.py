"""An API key for each person, so that the services themselves enforce what each person may see and do."""

import asyncio
from contextlib import suppress
from uuid import UUID

from pydantic import SecretStr

from services.dashboard.domain.users import SCOPES, User
from services.dashboard.gateways.vault import Vault
from services.dashboard.store.keys import SealedKey, add_key, live_key, retire_key
from services.dashboard.store.users import user_by_id
from shared.api.calls import MAKE_KEY, REVOKE_KEY
from shared.clock import Clock
from shared.db.engine import Database
from shared.errors import Forbidden, TellbackError, Unauthorized, Unavailable
from shared.http.client import Api, Services
from shared.telemetry.logging import get_logger
from shared.vault import Unsealable

log = get_logger(__name__)
OWN_KEY_REFUSED = "The dashboard may not make your key: run `tellback dashboard setup`, then start the dashboard again"
SIGNED_OUT = "You are signed out: sign in again"


class KeyRing:
    """The keys of people: made through the collector when a person first needs one, and stored encrypted."""

    def __init__(
        self, database: Database, services: Services, vault: Vault, clock: Clock, own_key: SecretStr | None
    ) -> None:
        self._database, self._services, self._vault, self._clock = database, services, vault, clock
        self._own = None
        if own_key:
            self._own = Api(services, own_key.get_secret_value())
        self._opened: dict[UUID, tuple[str, str]] = {}
        self._making = asyncio.Lock()

    async def api_of(self, user: User) -> Api:
        """A client of the services with this person's key. Raises `Away`, `Unavailable` without a key of the
        dashboard's own, or `Unauthorized` when the person has another role by now: an old page must not keep old
        rights."""

        async def renew() -> str:
            async with self._making:
                await self.retire(user.user_id)
            return await self._opened_key(user)

        return Api(self._services, await self._opened_key(user), renew)

    async def _opened_key(self, user: User) -> str:
        async with self._making:
            opened = self._opened.get(user.user_id)
            if opened is None or opened[0] != user.role:
                opened = self._opened[user.user_id] = (user.role, await self._key_of(user))
        return opened[1]

    async def retire(self, user_id: UUID) -> None:
        """Revoke the key of a person: at once here, in the services within 10 s."""
        self._opened.pop(user_id, None)
        async with self._database.write() as tx:
            key_id = await retire_key(tx, user_id, self._clock.now())
        if key_id and self._own:
            try:
                await self._own.call(REVOKE_KEY, key_id=key_id)
            except TellbackError as error:
                log.warning("key_not_revoked", key_id=key_id, code=error.code)

    async def _key_of(self, user: User) -> str:
        async with self._database.read() as tx:
            kept = await live_key(tx, user.user_id)
            current = await user_by_id(tx, user.user_id)
        if current is None or current.disabled or current.role is not user.role:
            raise Unauthorized("signed_out", SIGNED_OUT)
        if kept is not None and kept.fits(user.role):
            with suppress(Unsealable):  # the deployment has another secret key by now
                return self._vault.open(kept.sealed, str(user.user_id))
        if kept is not None:
            await self.retire(user.user_id)
        return await self._make(user)

    async def _make(self, user: User) -> str:
        if self._own is None:
            raise Unavailable("no_key", "The dashboard has no API key: run `tellback dashboard setup`")
        wanted = {"name": f"dashboard: {user.email}"[:100], "scopes": sorted(SCOPES[user.role])}
        if user.owner_email:
            wanted["owner_email"] = user.owner_email
        try:
            made = await self._own.call(MAKE_KEY, wanted)
        except (Unauthorized, Forbidden) as refused:
            log.error("own_key_refused", code=refused.code)
            raise Unavailable("own_key_refused", OWN_KEY_REFUSED) from None
        vaulted = self._vault.seal(made.key, str(user.user_id))
        sealed = SealedKey(made.id, user.user_id, vaulted, user.role, SCOPES[user.role])
        async with self._database.write() as tx:
            kept = await add_key(tx, sealed, self._clock.now())
        if kept:
            return made.key
        await self._own.call(REVOKE_KEY, key_id=made.id)  # another replica has added a key first
        return await self._key_of(user)
