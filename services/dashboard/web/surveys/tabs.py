"""The head of all pages about asking people."""

from services.dashboard.web.elements import Text, box, link
from services.dashboard.web.section import Visit

TABS = (
    ("/surveys", "Surveys", "read"),
    ("/surveys/programmes", "Programmes", "read"),
    ("/surveys/links", "Links for many", "act"),
    ("/surveys/waves", "Coming waves", "read"),
    ("/surveys/asks", "Who was asked", "read"),
    ("/surveys/reviews", "Business reviews", "read"),
    ("/surveys/loop-backs", "What we changed", "read"),
    ("/surveys/objections", "Objections", "manage"),
    ("/surveys/bounces", "Mails that came back", "manage"),
    ("/surveys/sending-domain", "Sending domain", "manage"),
)


def tabs(visit: Visit, here: str, lead: str) -> None:
    """The title and the tabs of what this person may do."""
    Text("h1", "Surveys")
    with box("nav", "tabs", aria_label="Surveys"):
        for path, name, scope in TABS:
            if visit.user.may(scope):
                tab = link(name, path)
                if path == here:
                    tab.props["aria-current"] = "page"
    Text("p", lead, "lead")
