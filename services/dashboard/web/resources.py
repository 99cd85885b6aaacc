"""The resources of pages, built by app.py; a global, since NiceGUI has one application a process."""

from dataclasses import dataclass

from nicegui import app as nicegui_app

from services.dashboard.domain.recent import Recent
from services.dashboard.gateways.halts import Halts
from services.dashboard.handlers.keys import KeyRing
from services.dashboard.handlers.people import Desk
from services.dashboard.handlers.signing_in import SigningIn
from services.dashboard.jobs.change_notifier import ChangeNotifiers
from services.dashboard.settings import DashboardSettings
from services.dashboard.web.forms import Forms
from services.dashboard.web.live import LiveSockets
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Resources:
    """The dashboard's own resources."""

    settings: DashboardSettings
    clock: Clock
    forms: Forms
    signing_in: SigningIn
    desk: Desk
    keys: KeyRing
    notifiers: ChangeNotifiers
    live: LiveSockets
    recent: Recent
    halts: Halts


def resources() -> Resources:
    """The resources that the lifespan opened."""
    found: Resources = nicegui_app.state.dashboard
    return found


def provide(found: Resources) -> None:
    """Set the resources."""
    nicegui_app.state.dashboard = found
