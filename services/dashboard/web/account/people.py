"""The people of an account: a map of roles and categories."""

from collections.abc import Sequence

from services.dashboard.domain import wording
from services.dashboard.web.account.view import AccountView
from services.dashboard.web.elements import Text, box, empty, person_link
from services.dashboard.web.section import Section
from shared.api.people import Person

COLUMNS = ("promoter", "passive", "detractor", None)
ROWS = (*wording.TYPE_NAMES, None)


def place_people(view: AccountView) -> None:
    """The section of the people."""
    Section(view.visit, "Who stands where", view.people, _draw)


def _draw(people: list[Person]) -> None:
    """Draw roles by category; people who have not answered, or are silent, have columns of their own."""
    if not people:
        empty("Nobody is known at this account.", "People come with the directory, or with their first answer.")
        return
    with box("div", "map", role="table", aria_label="People by role and category"):
        with box("div", "maprow", role="row"):
            Text("div", "", "axis", role="columnheader", aria_label="Role")
            for column in COLUMNS:
                Text("div", _column(column), "axis", role="columnheader")
        for role in ROWS:
            members = [person for person in people if _role(person) == role]
            if members:
                _row(wording.TYPE_NAMES.get(role or "", "Role unknown"), members)


def _role(person: Person) -> str | None:
    if person.type in wording.TYPE_NAMES:
        return person.type
    return None


def _column(category: str | None) -> str:
    if category:
        return f"{wording.CATEGORY_SIGNS[category]} {wording.CATEGORY_NAMES[category]}"
    return "○ No answer"


def _row(name: str, people: Sequence[Person]) -> None:
    with box("div", "maprow", role="row"):
        Text("div", name, "axis", role="rowheader")
        for column in COLUMNS:
            with box("div", "cell", role="cell", data_head=_column(column)):
                for person in people:
                    if person.state.category == column:
                        _person(person)


def _person(person: Person) -> None:
    state = person.state
    with box("p"):
        person_link(person.account_id, person.stakeholder_id, person.name)
        if state.score is not None:
            Text("span", f" {state.score}")
        if state.silent:
            Text("span", " ○ silent", "muted")
        elif state.score is None and state.days_since_asked is None:
            Text("span", " never asked", "muted")
