"""`tellback resume-sending`: lets mails, webhooks and notices go again after the database was put back."""

from datetime import UTC, datetime

from services.cli.console import DataOption, JsonOption, as_json, say
from services.cli.installation import run_on
from shared.settings import CommonSettings

ACTOR = "cli"


def resume_sending(data: DataOption = None, json: JsonOption = False) -> None:
    """Let mails, webhooks and notices go again after a restore. Mails that were due when the copy was made count as
    sent, unconfirmed: nobody gets one twice. Webhooks that wait go, with the ids that they had."""
    unconfirmed, waiting = run_on(data, _both)
    if json:
        as_json({"paused": False, "unconfirmed": unconfirmed, "waiting": waiting})
        return
    say("mails, webhooks and notices go again")
    if unconfirmed:
        say(f"{unconfirmed} asks count as sent, unconfirmed: GET /v1/asks?unconfirmed=true of outreach lists them")
    if waiting:
        say(f"{waiting} webhooks and notices that waited go now")


async def _both(common: CommonSettings) -> tuple[int, int]:
    return await _resume(common), await _let_go(common)


async def _resume(common: CommonSettings) -> int:
    from services.outreach import SCHEMA
    from services.outreach.handlers import pauses
    from services.outreach.store.pauses import unconfirmed
    from shared.db.engine import Database

    now = datetime.now(UTC)
    async with Database.of(common, SCHEMA, pool_size=1) as database:
        await database.retrying(lambda tx: pauses.resume_sending(tx, ACTOR, now))
        async with database.read() as tx:
            return await unconfirmed(tx)


async def _let_go(common: CommonSettings) -> int:
    from services.alerting import SCHEMA
    from services.alerting.courier.interface import let_go
    from shared.db.engine import Database

    now = datetime.now(UTC)
    async with Database.of(common, SCHEMA, pool_size=1) as database:
        return await database.retrying(lambda tx: let_go(tx, ACTOR, now))
