"""The services of this release for the command line: name, port and settings."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from services.cli.connection import PORTS
from shared.settings import CommonSettings, Settings


def installed_services() -> list[str]:
    """The names of the services of this release."""
    return [name for name in PORTS if find_spec(f"services.{name}") and find_spec(f"services.{name}.app")]


def settings_class(service: str) -> type[Settings]:
    """`CollectorSettings` for the collector, and so on."""
    found: type[Settings] = getattr(import_module(f"services.{service}.settings"), f"{service.capitalize()}Settings")
    return found


def service_settings(service: str) -> Any:
    """A service's own settings, from the environment; all have a `port`. Raises InvalidSettings."""
    return settings_class(service).load()


def settings_classes() -> list[type[Settings]]:
    """Every settings class that reads the environment."""
    from services.cli.settings import CliSettings

    return [CommonSettings, CliSettings, *map(settings_class, installed_services())]
