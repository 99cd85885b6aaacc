"""Notifications: who is told of follow-ups, escalations and praise, by mail or in a room of Slack or Teams."""

from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, box, empty, table, when
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, sure
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.settings.tabs import tabs
from shared.api.calls import ADD_NOTIFICATION, REMOVE_NOTIFICATION
from shared.api.notifications import NotificationItem
from shared.api.questions import NOTIFICATIONS
from shared.http.client import Api

CHANNELS = {"mail": "Mail", "slack": "Slack", "teams": "Teams"}
TOPICS = {"follow_ups": "New follow-ups", "escalations": "Escalations", "praise": "Praise of promoters"}
SEVERITIES = {"low": "All", "medium": "Medium and worse", "high": "High and worse", "critical": "Critical only"}
TIMES = {True: "in business hours", False: "at any time"}
LEAD = "Who is notified; messages wait for the comment, come in bundles, and never at night"


@page("/settings/notifications", "Notifications", scope="manage")
async def notifications(visit: Visit) -> None:
    """Draw the page."""
    tabs("/settings/notifications", LEAD)

    async def load(api: Api) -> list[NotificationItem]:
        return (await api.ask(NOTIFICATIONS)).items

    Section(visit, "Notifications", load, partial(_draw, visit), classes="wide")


def _draw(visit: Visit, notifications: list[NotificationItem]) -> None:
    if not notifications:
        empty("No notifications yet.", "Add mail to whoever a follow-up concerns, or a room of Slack or Teams.")
    else:
        heads = ("By", "To", "Of", "Severity", "When", "What for", "Since", "")
        table(heads, [_row(visit, notification) for notification in notifications], "Notifications")
    with box("div", "buttons"):
        for channel, name in CHANNELS.items():
            title, classes = f"Notify a room in {name}", ""
            if channel == "mail":
                title, classes = "Notify by mail", "main"
            fill, send = partial(_fields, channel), partial(_create, visit, channel)
            button(title, partial(ask, title, fill, send, "Add it"), classes)


def _row(visit: Visit, notification: NotificationItem) -> list[Cell]:
    to = _to(notification)
    return [
        CHANNELS[notification.channel],
        to,
        ", ".join(TOPICS.get(topic, topic) for topic in notification.topics),
        SEVERITIES[notification.min_severity],
        TIMES[notification.quiet_hours],
        notification.description or wording.NOTHING,
        partial(when, notification.created_at),
        partial(_remove, visit, notification, to),
    ]


def _to(notification: NotificationItem) -> str:
    return notification.address or notification.url or "whoever it concerns"


def _fields(channel: str, fields: Fields) -> None:
    if channel == "mail":
        fields.text("address", "One address; empty: whoever each follow-up concerns", kind="email")
    else:
        fields.text("url", "Incoming webhook of the room (https://…)", kind="url")
    fields.several("topics", "Of what", TOPICS, ("follow_ups", "escalations"))
    fields.choice("min_severity", "Follow-ups of which severity", SEVERITIES)
    fields.tick("quiet_hours", "Wait for business hours", value=True)
    fields.text("description", "What it is for")


async def _create(visit: Visit, channel: str, values: Values) -> bool:
    async def work() -> None:
        body = values | {"channel": channel, "quiet_hours": bool(values.get("quiet_hours"))}
        made = await (await visit.api()).call(ADD_NOTIFICATION, body)
        await visit.resources.desk.note(visit.user, "added_notification", _to(made))

    worked = await attempt(work(), "Added")
    await visit.refresh()
    return worked


def _remove(visit: Visit, notification: NotificationItem, to: str) -> None:
    async def remove() -> None:
        async def work() -> None:
            await (await visit.api()).call(REMOVE_NOTIFICATION, notification_id=notification.id)
            await visit.resources.desk.note(visit.user, "removed_notification", to)

        await attempt(work(), "Removed")
        await visit.refresh()

    button(
        "Remove", lambda: sure("Remove this notification?", f"{to}. What waits for them is dropped.", "Remove", remove)
    )
