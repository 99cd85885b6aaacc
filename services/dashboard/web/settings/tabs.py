"""The head of all settings pages."""

from services.dashboard.web.elements import Text, box

TABS = (
    ("/settings", "Webhooks"),
    ("/settings/rules", "Rules"),
    ("/settings/notifications", "Notices"),
    ("/settings/dead-letters", "Dead letters"),
    ("/settings/keys", "Keys"),
    ("/settings/people", "People"),
)


def tabs(here: str, lead: str) -> None:
    """The title and the tabs."""
    Text("h1", "Settings")
    with box("nav", "tabs", aria_label="Settings"):
        for path, name in TABS:
            current = {"aria_current": "page"} if path == here else {}
            Text("a", name, href=path, **current)
    Text("p", lead, "lead")
