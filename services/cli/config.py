"""`tellback config show`: the settings in force, with secrets masked."""

import typer

from services.cli.connection import fill_environment
from services.cli.console import DataOption, Exit, JsonOption, as_json, say, table
from services.cli.folder import DataFolder
from services.cli.services import settings_classes
from shared.settings import InvalidSettings
from shared.unknown_variables import unknown_variables

app = typer.Typer(no_args_is_help=True, help="Show the settings.")


@app.command("show")
def show(data: DataOption = None, json: JsonOption = False) -> None:
    """Every variable with its value, as a service started now would see it. Exit code 2 when one is wrong."""
    fill_environment(DataFolder(data))
    values: dict[str, str] = {}
    wrong: list[dict[str, str]] = []
    for settings in settings_classes():
        try:
            values |= settings.load().shown()
        except InvalidSettings as error:
            wrong += error.errors or [{"field": settings.__name__, "detail": error.detail}]
    unknown = unknown_variables(settings_classes())
    if json:
        as_json({"settings": values, "wrong": wrong, "unknown": [name for name, _ in unknown]})
    else:
        table(("variable", "value"), sorted(values.items()))
        for item in wrong:
            say(f"wrong: {item['field']}: {item['detail']}")
        for name, close in unknown:
            hint = ""
            if close:
                hint = f" (did you mean {close}?)"
            say(f"unknown: {name}{hint}")
    if wrong:
        raise typer.Exit(Exit.USAGE)
