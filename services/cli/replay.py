"""`tellback replay`: a service reads its topics once more from their beginning."""

from functools import partial
from typing import Annotated

import typer

from services.cli.console import DataOption, JsonOption, WrongUse, as_json, say
from services.cli.installation import run_on
from services.cli.resume import reading_services, schema_of
from services.cli.topics import apply_topics
from shared.settings import CommonSettings


def replay(
    service: Annotated[str, typer.Argument(help="scorer, alerting or benchmark.")],
    topic: Annotated[list[str] | None, typer.Option(help="Only this topic; may be given often.")] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Let a service read its topics from their beginning, beside running services.

    What it has had already it recognises by its ids and counts as repeats. Also the way to go on knowingly when Kafka
    was replaced or restored (`kafka_replaced`): what only the old one held is not read again, and stays.
    """
    count = run_on(data, partial(_replay, service=service, topics=_chosen(service, topic or [])), kafka=True)
    if json:
        as_json({"service": service, "partitions": count})
    else:
        say(f"{service} reads {count} partitions from their beginning")


def _chosen(service: str, wanted: list[str]) -> list[str]:
    """The topics to read again, without prefix. Raises WrongUse."""
    topics = reading_services().get(service)
    if topics is None:
        raise WrongUse("unknown_service", f"must be one of: {', '.join(reading_services())}")
    if unknown := set(wanted) - set(topics):
        raise WrongUse("unknown_topic", f"{service} does not read {', '.join(sorted(unknown))}")
    return wanted or topics


async def _replay(common: CommonSettings, service: str, topics: list[str]) -> int:
    from shared.db.cursors import begin_anew, statement_of_account
    from shared.db.engine import Database
    from shared.kafka.offsets import log_ranges

    await apply_topics(common)  # a wiped Kafka has no topics
    names = {common.topic_prefix + name for name in topics}
    async with Database.of(common, schema_of(service), pool_size=1) as database:
        async with database.read() as tx:
            places = [
                (row["topic"], row["partition"]) for row in await statement_of_account(tx) if row["topic"] in names
            ]
        ranges = await log_ranges(common.kafka, places)
        async with database.write() as tx:
            return await begin_anew(tx, {place: first for place, (first, _) in ranges.items()})
