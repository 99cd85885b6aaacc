"""docs/settings.md: every environment variable, from the settings classes."""

import inspect
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import services
from shared.settings import CommonSettings, Settings, Variable

FILE = "docs/settings.md"
INTRODUCTION = """# Settings

Made by `make docs` from the settings classes; not edited by hand.

Everything is set by environment variables. Each can also be given as the content of a file, which is named by
the same variable with `_FILE` at its end: `TELLBACK_SECRET_KEY_FILE=/run/secrets/tellback`. An unknown
`TELLBACK_*` variable is a warning at the start. `tellback config show` prints what is in force, with secrets
masked.
"""


def documents() -> dict[str, str]:
    """File name -> text."""
    return {FILE: INTRODUCTION + "".join(_section(settings) for settings in classes())}


def classes() -> list[type[Settings]]:
    """The settings classes: what all services share, then each service's own, then the command line's."""
    names = sorted((module.name for module in iter_modules(services.__path__)), key=lambda name: (name == "cli", name))
    found: list[type[Settings]] = [CommonSettings]
    for name in names:
        if find_spec(f"services.{name}.settings") is None:
            continue
        module = import_module(f"services.{name}.settings")
        found += [
            member
            for _, member in inspect.getmembers(module, inspect.isclass)
            if issubclass(member, Settings) and member.__module__ == module.__name__
        ]
    return found


def variables() -> dict[str, Variable]:
    """Name -> variable, over all classes."""
    return {variable.name: variable for settings in classes() for variable in settings.variables()}


def _section(settings: type[Settings]) -> str:
    owner = settings.__module__.split(".")[1] if settings.__module__.startswith("services.") else ""
    title = f"{owner.capitalize()}" if owner else "All services"
    lines = ["", f"## {title}", "", "| variable | default | meaning |", "| --- | --- | --- |"]
    for variable in settings.variables():
        meaning = variable.description + (" Secret." if variable.secret else "")
        lines.append(f"| `{variable.name}` | {_default(variable)} | {_cell(meaning)} |")
    return "\n".join(lines) + "\n"


def _default(variable: Variable) -> str:
    if variable.default is None:
        return "required"
    return f"`{_cell(variable.default)}`" if variable.default else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
