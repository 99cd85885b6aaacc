"""Every person has an API key of their own, made when it is first needed and revoked when their rights change."""

from dataclasses import replace

import pytest

from services.dashboard.domain.users import Role, User
from services.dashboard.web.resources import Resources
from shared.errors import Conflict, Forbidden, Unauthorized
from tests.integration.dashboard.fake_services import FakeServices


async def person(resources: Resources, role: Role) -> User:
    await resources.desk.first_admin()
    admin = next(member for member in await resources.desk.everybody() if member.role is Role.ADMIN)
    await resources.desk.add(admin, f"{role.value}@supplier.example", "Ada", role)
    return next(member for member in await resources.desk.everybody() if member.email.startswith(role.value))


async def ask(resources: Resources, user: User) -> str:
    return str((await (await resources.keys.api_of(user)).get("scorer", "/v1/accounts"))["key"])


async def test_the_key_of_an_account_manager_knows_their_accounts_only(
    resources: Resources, services: FakeServices
) -> None:
    key = await ask(resources, await person(resources, Role.ACCOUNT_MANAGER))
    made = services.keys[key]
    assert made["owner_email"] == "account_manager@supplier.example"
    assert made["scopes"] == ["act", "read"]


async def test_a_viewer_has_a_key_that_only_reads(resources: Resources, services: FakeServices) -> None:
    made = services.keys[await ask(resources, await person(resources, Role.VIEWER))]
    assert made["scopes"] == ["read"]
    assert "owner_email" not in made


async def test_a_key_is_made_once_and_kept_encrypted(resources: Resources, services: FakeServices) -> None:
    user = await person(resources, Role.LEADER)
    key = await ask(resources, user)
    resources.keys._opened.clear()  # as after a restart
    assert await ask(resources, user) == key
    async with resources.desk.database.read() as tx:
        sealed = bytes(await tx.scalar("select sealed from keys"))
    assert b"secret" not in sealed


async def test_a_key_that_was_revoked_is_made_anew(resources: Resources, services: FakeServices) -> None:
    user = await person(resources, Role.LEADER)
    first = await ask(resources, user)
    services.keys[first]["live"] = False
    assert await ask(resources, user) != first


async def test_with_another_role_the_old_key_is_revoked(resources: Resources, services: FakeServices) -> None:
    user = await person(resources, Role.LEADER)
    old = await ask(resources, user)
    admin = next(member for member in await resources.desk.everybody() if member.role is Role.ADMIN)
    await resources.desk.change(admin, user.user_id, Role.VIEWER, disabled=False)
    assert not services.keys[old]["live"]
    changed = next(member for member in await resources.desk.everybody() if member.user_id == user.user_id)
    assert services.keys[await ask(resources, changed)]["scopes"] == ["read"]
    assert (await resources.desk.names_of_keys())[old] == "Ada"


async def test_a_page_left_open_gets_no_key_of_the_old_role(resources: Resources, services: FakeServices) -> None:
    user = await person(resources, Role.LEADER)
    await ask(resources, user)
    admin = next(member for member in await resources.desk.everybody() if member.role is Role.ADMIN)
    await resources.desk.change(admin, user.user_id, Role.VIEWER, disabled=False)
    with pytest.raises(Unauthorized):
        await ask(resources, user)
    assert not [key for key in services.keys.values() if key["live"]]


@pytest.mark.parametrize("role", [Role.LEADER, Role.ACCOUNT_MANAGER, Role.VIEWER])
async def test_who_is_not_an_admin_lets_nobody_in(resources: Resources, role: Role) -> None:
    user = await person(resources, role)
    acting = replace(user, role=Role.ADMIN)  # as on a page that was drawn before the role was changed
    for work in (
        resources.desk.add(acting, "friend@supplier.example", "Friend", Role.ADMIN),
        resources.desk.change(acting, user.user_id, Role.ADMIN, disabled=False),
        resources.desk.password_link(acting, user.user_id),
    ):
        with pytest.raises(Forbidden):
            await work
    assert {member.email for member in await resources.desk.everybody()} == {"admin", user.email}


async def test_the_last_admin_stays_admin(resources: Resources) -> None:
    await resources.desk.first_admin()
    admin = (await resources.desk.everybody())[0]
    with pytest.raises(Conflict):
        await resources.desk.change(admin, admin.user_id, Role.VIEWER, disabled=False)
    with pytest.raises(Conflict):
        await resources.desk.change(admin, admin.user_id, Role.ADMIN, disabled=True)
    assert await resources.desk.first_admin() is None
