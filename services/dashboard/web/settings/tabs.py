"""The head of all settings pages."""

from services.dashboard.web.elements import Text, box, link

TABS = (
    ("/settings", "Webhooks"),
    ("/settings/rules", "Rules"),
    ("/settings/notifications", "Notifications"),
    ("/settings/dead-letters", "Dead letters"),
    ("/settings/keys", "Keys"),
    ("/settings/people", "People"),
)


def tabs(here: str, lead: str) -> None:
    """The title and the tabs."""
    Text("h1", "Settings")
    with box("nav", "tabs", aria_label="Settings"):
        for path, name in TABS:
            tab = link(name, path)
            if path == here:
                tab.props["aria-current"] = "page"
    Text("p", lead, "lead")
