"""`tellback migrate`: brings the database to this release. Forward only, one process at a time."""

from typing import TYPE_CHECKING

from services.cli.console import DataOption, JsonOption, WaitOption, as_json, table
from services.cli.installation import run_on
from shared.settings import CommonSettings

if TYPE_CHECKING:
    from shared.db.migrate import Level


def migrate(data: DataOption = None, wait: WaitOption = 0.0, json: JsonOption = False) -> None:
    """Apply the migrations of every service; says where each schema stood and stands."""
    levels = run_on(data, apply_migrations, wait=wait)
    if json:
        as_json([{"schema": level.schema, "before": level.found, "now": level.wanted} for level in levels])
    else:
        table(("schema", "before", "now"), [(level.schema, level.found, level.wanted) for level in levels])


async def apply_migrations(common: CommonSettings) -> "list[Level]":
    """Migrate every schema; returns the levels before. Raises Unavailable, Halt."""
    from shared.db.migrate import migrate as bring_up_to_date

    return await bring_up_to_date(common.database_url, password_file=common.database_password_file)
