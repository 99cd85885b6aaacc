"""Access: API keys of programs, and people who sign in."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

from services.dashboard.domain import wording
from services.dashboard.domain.users import ROLE_NAMES, Role, User
from services.dashboard.handlers.people import Link
from services.dashboard.web.elements import Cell, Text, box, table, when
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, show_once, sure
from services.dashboard.web.page import page
from services.dashboard.web.passwords import SET_PATH
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.settings.tabs import tabs
from shared.api.calls import MAKE_KEY, REVOKE_KEY
from shared.api.keys import Key, NewKey
from shared.api.questions import KEYS
from shared.http.client import Api

SCOPES = {
    "ingest": "Post answers and the directory (ingest)",
    "read": "Read figures (read)",
    "read,act": "Read and act on follow-ups (read, act)",
    "read,act,manage": "Manage (read, act, manage)",
}
STANDING = {True: "disabled", False: "active"}
SWITCHES = {True: "Enable", False: "Disable"}
"""By whether the person is disabled."""


@page("/settings/keys", "Keys", scope="manage")
async def keys(visit: Visit) -> None:
    """Draw the list of API keys."""
    tabs("/settings/keys", "Keys of programs that call the APIs; a key is shown once, when it is created")

    async def load(api: Api) -> list[Key]:
        return [_by_days(key) for key in await api.ask_all(KEYS, most=500)]

    Section(visit, "API keys", load, partial(_draw_keys, visit), classes="wide")


def _by_days(key: Key) -> Key:
    """The key with the day on which it was last used: the minute would differ at every load."""
    if key.last_used_at is None:
        return key
    return key.model_copy(update={"last_used_at": key.last_used_at.replace(hour=0, minute=0, second=0, microsecond=0)})


def _draw_keys(visit: Visit, keys: list[Key]) -> None:
    rows: list[list[Cell]] = [
        [
            partial(Text, "span", key.name, title=f"Id {key.id}"),
            ", ".join(key.scopes) or f"only post answers, from {', '.join(key.origins)}",
            key.owner_email or "all accounts",
            partial(when, key.created_at),
            partial(when, key.last_used_at and key.last_used_at.date()),
            partial(_draw_end, visit, key),
            partial(_revoke, visit, key),
        ]
        for key in keys
    ]
    table(("Name", "Permissions", "Whose accounts", "Created", "Last used", "State", ""), rows, "API keys")

    def fill(fields: Fields) -> None:
        fields.text("name", "What it is for")
        fields.choice("scopes", "What it may do", SCOPES)
        fields.text("owner_email", "Only the accounts of this owner (e-mail); empty for all")
        fields.instant("expires_at", "Valid until; empty: until it is revoked")

    async def send(values: Values) -> bool:
        made: list[NewKey] = []

        async def work() -> None:
            body = values | {"name": values.get("name", ""), "scopes": values["scopes"].split(",")}
            new = await (await visit.api()).call(MAKE_KEY, body)
            made.append(new)
            await visit.resources.desk.note(visit.user, "made_key", new.name)

        worked = await attempt(work(), "Made")
        if worked:
            show_once("The key", "It is shown this once.", made[0].key)
        await visit.refresh()
        return worked

    with box("div", "buttons"):
        button("Create a key", lambda: ask("Create a key", fill, send, "Create key"), "main")


def _draw_end(visit: Visit, key: Key) -> None:
    if key.revoked_at:
        Text("span", "○ revoked")
        return
    over = key.expires_at is not None and key.expires_at < visit.now
    if over:
        Text("span", "○ expired ")
    elif key.expires_at:
        Text("span", "● valid until ")
    else:
        Text("span", "● valid")
    if key.expires_at:
        when(key.expires_at, "time")


def _revoke(visit: Visit, key: Key) -> None:
    if key.revoked_at:
        return

    async def revoke() -> None:
        async def work() -> None:
            await (await visit.api()).call(REVOKE_KEY, key_id=key.id)
            await visit.resources.desk.note(visit.user, "revoked_key", key.name)

        await attempt(work(), "Revoked: services refuse it within ten seconds")
        await visit.refresh()

    text = "Programs that use it are refused within ten seconds. It does not come back."
    button("Revoke", lambda: sure(f"Revoke {key.name}?", text, "Revoke it", revoke))


@page("/settings/people", "People who sign in", scope="manage")
async def signing_in(visit: Visit) -> None:
    """Draw the list of people and the audit."""
    tabs("/settings/people", "Who may sign in, and with which role")

    async def load(_api: Api) -> list[User]:
        return list(await visit.resources.desk.everybody())

    async def journal(_api: Api) -> list[Any]:
        return list(await visit.resources.desk.journal())

    Section(visit, "People", load, partial(_draw_people, visit), classes="wide")
    Section(visit, "Audit log", journal, _draw_journal, classes="wide")


def _draw_people(visit: Visit, users: list[User]) -> None:
    rows: list[list[Cell]] = [
        [
            user.name,
            user.email,
            ROLE_NAMES[user.role],
            STANDING[user.disabled],
            partial(when, user.last_login_at, "time"),
            partial(_person_buttons, visit, user),
        ]
        for user in users
    ]
    table(("Name", "Signs in as", "Role", "State", "Last signed in", ""), rows, "People who sign in")

    def fill(fields: Fields) -> None:
        fields.text("email", "E-mail; an account manager sees the accounts that name it as owner", kind="email")
        fields.text("name", "Name")
        fields.choice(
            "role", "Role", {role.value: name for role, name in ROLE_NAMES.items()}, Role.ACCOUNT_MANAGER.value
        )

    async def send(values: Values) -> bool:
        made: list[Link] = []

        async def work() -> None:
            email, name = values.get("email", ""), values.get("name", "")
            made.append(await visit.resources.desk.add(await visit.present(), email, name, Role(values["role"])))

        worked = await attempt(work(), "Added")
        if worked:
            _show_link(visit, made[0])
        await visit.refresh()
        return worked

    with box("div", "buttons"):
        button("Add a person", lambda: ask("Add a person", fill, send, "Add person"), "main")


def _show_link(visit: Visit, link: Link) -> None:
    """Show the full address, to be copied: whoever opens it first sets the password."""
    address = visit.client.request.url.replace(path=SET_PATH, query=urlencode({"link": link.token}), fragment="")
    lead = "Send it to them: they set their password there. It works once, within 24 hours, and is shown this once."
    show_once("Their link", lead, str(address))


def _person_buttons(visit: Visit, user: User) -> None:
    desk = visit.resources.desk

    async def become(role: Role, *, disabled: bool) -> bool:
        async def work() -> None:
            await desk.change(await visit.present(), user.user_id, role, disabled=disabled)

        worked = await attempt(work(), "Changed")
        await visit.refresh()
        return worked

    async def change(values: Values) -> bool:
        return await become(Role(values["role"]), disabled=False)

    async def shut_out() -> None:
        await become(user.role, disabled=not user.disabled)

    async def link() -> None:
        made: list[Link] = []

        async def work() -> None:
            made.append(await desk.password_link(await visit.present(), user.user_id))

        if await attempt(work(), "Their password stays as it is until they use the link"):
            _show_link(visit, made[0])

    roles = {role.value: name for role, name in ROLE_NAMES.items()}

    def fill(fields: Fields) -> None:
        fields.choice("role", "Role", roles, user.role.value)

    with box("div", "buttons tight"):
        button("Role", lambda: ask(f"The role of {user.name}", fill, change, "Change it"))
        button("Password link", link)
        button(SWITCHES[user.disabled], shut_out)


def _draw_journal(entries: list[Any]) -> None:
    rows: list[list[Cell]] = [
        [partial(when, entry.at, "time"), entry.actor, wording.plain(entry.action), entry.subject] for entry in entries
    ]
    table(("When", "Who", "Action", "To"), rows, "Audit log")
