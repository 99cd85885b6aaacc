"""The follow-ups of an account or a person."""

from collections.abc import Sequence
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.domain.follow_ups import kind, outcome
from services.dashboard.web.account.view import AccountView, PersonNames
from services.dashboard.web.elements import Cell, address, empty, link, severity_chip, table, when
from services.dashboard.web.section import Section
from shared.api.follow_ups import FollowUp
from shared.http.client import Api

SHOWN = 100


def place_follow_ups(view: AccountView) -> None:
    """The section of the follow-ups."""

    async def load(api: Api) -> tuple[list[FollowUp], PersonNames]:
        follow_ups = await view.follow_ups(api)
        return follow_ups[:SHOWN], await view.names(api, follow_ups)

    Section(view.visit, "Follow-ups", load, lambda found: draw_follow_ups(view.account_id, *found))


def draw_follow_ups(account_id: str, follow_ups: Sequence[FollowUp], names: PersonNames) -> None:
    """Draw follow-ups, open ones first."""
    if not follow_ups:
        empty("No follow-up yet.", "Follow-ups open automatically when a score drops.")
        return
    rows = [_row(follow_up, names) for follow_up in sorted(follow_ups, key=_is_closed)]
    table(("Follow-up", "About", "Severity", "State", "Due"), rows, "Follow-ups")
    link("On the board", address("/follow-ups", account_id=account_id))


def _is_closed(follow_up: FollowUp) -> bool:
    return follow_up.state == "closed"


def _row(follow_up: FollowUp, names: PersonNames) -> list[Cell]:
    about, state = "the account", wording.STATE_NAMES[follow_up.state]
    if follow_up.stakeholder_id:
        about = names.get(follow_up.stakeholder_id, follow_up.stakeholder_id)
    if follow_up.outcome:
        state += f", {outcome(follow_up.outcome)}"
    return [
        partial(link, kind(follow_up.kind), f"/follow-ups/{follow_up.follow_up_id}"),
        about,
        partial(severity_chip, follow_up.severity),
        state,
        partial(when, follow_up.due_at),
    ]
