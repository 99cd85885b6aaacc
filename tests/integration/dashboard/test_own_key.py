"""The dashboard's own key can give people the rights that they need, tested with the API that makes keys; setup
replaces a key that cannot."""

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.cli.dashboard import prepare
from services.cli.folder import DataFolder
from services.dashboard.domain.users import SCOPES, Role, User
from services.dashboard.gateways.vault import Vault
from services.dashboard.handlers.keys import KeyRing
from services.dashboard.handlers.people import Desk
from services.dashboard.web.resources import Resources
from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.http.client import Services
from tests.integration.dashboard.conftest import SECRET
from tests.integration.shared.http.test_keys import keys_app
from tests.support.environment import Environment
from tests.support.http import api_key, bearer


async def admin_of(desk: Desk) -> User:
    return next(user for user in await desk.everybody() if user.role is Role.ADMIN)


async def test_setup_gives_the_dashboard_a_key_that_makes_the_keys_of_every_role_and_renews_one_that_does_not(
    environment: Environment, resources: Resources, tmp_path: Path
) -> None:
    folder, desk = DataFolder(tmp_path), resources.desk
    old = await api_key(environment, ["read", "act", "manage"])
    folder.dashboard_key.write_text(old)
    app = keys_app(environment)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        services = Services({"collector": "http://collector.test"}, transport=transport)

        def ring() -> KeyRing:
            """That of a dashboard started now."""
            key = SecretStr(folder.dashboard_key.read_text())
            return KeyRing(desk.database, services, Vault((SECRET,)), SystemClock(), key)

        await desk.first_admin()
        admin = await admin_of(desk)
        with pytest.raises(Unavailable, match="tellback dashboard setup"):
            await ring().api_of(admin)

        await prepare(environment.common, folder)
        me = await (await ring().api_of(admin)).get("collector", "/v1/me")
        assert set(me["scopes"]) == SCOPES[Role.ADMIN]
        app.state.plumbing.keys.forget(old[3:15])  # a service notices within ten seconds
        async with httpx.AsyncClient(transport=transport, base_url="http://collector.test") as client:
            assert (await client.get("/v1/me", headers=bearer(old))).status_code == 401
        renewed = folder.dashboard_key.read_text()
        await prepare(environment.common, folder)
        assert folder.dashboard_key.read_text() == renewed, "what suffices stays"
        await services.close()


async def test_a_key_with_other_scopes_than_the_role_has_by_now_is_made_anew(resources: Resources) -> None:
    await resources.desk.first_admin()
    admin = await admin_of(resources.desk)
    await resources.keys.api_of(admin)
    async with resources.desk.database.write() as tx:
        await tx.execute("update keys set scopes = '{act,manage,read}'")
    resources.keys._opened.clear()  # as after a restart
    await resources.keys.api_of(admin)
    async with resources.desk.database.read() as tx:
        live = await tx.all("select scopes from keys where retired_at is null")
    assert [set(row["scopes"]) for row in live] == [SCOPES[Role.ADMIN]]
