"""`tellback topics`: makes the topics and keeps their settings as shared/topics.py declares them."""

from typing import TYPE_CHECKING, Any

import typer

from services.cli.console import DataOption, Exit, JsonOption, as_json, table
from services.cli.installation import run_on
from shared.settings import CommonSettings

if TYPE_CHECKING:
    from shared.kafka.admin import TopicState

app = typer.Typer(no_args_is_help=True, help="Make and list the topics in Kafka.")


@app.command("apply")
def apply(data: DataOption = None, json: JsonOption = False) -> None:
    """Make what is missing and set what differs. The number of partitions is fixed when a topic is made."""
    done = [{"topic": state.name, "outcome": _outcome(state)} for state in run_on(data, apply_topics, kafka=True)]
    if json:
        as_json(done)
    else:
        table(("topic", "outcome"), [tuple(topic.values()) for topic in done])


def _outcome(before: "TopicState") -> str:
    """What `apply` did to a topic with this state before."""
    if before.differs:
        return "changed"
    if before.exists:
        return "as wanted"
    return "made"


@app.command("list")
def list_topics(data: DataOption = None, json: JsonOption = False) -> None:
    """Every topic: whether it exists, its partitions and copies, and what differs. Exit code 1 if anything does."""
    topics = run_on(data, _inspect, kafka=True)
    if json:
        as_json(list(map(_plain, topics)))
    else:
        columns = ("topic", "exists", "partitions", "copies", "differs (found, wanted)")
        table(columns, map(_row, topics))
    if any(not state.exists or state.differs for state in topics):
        raise typer.Exit(Exit.FAILED)


def _row(state: "TopicState") -> tuple[Any, ...]:
    return state.name, state.exists, state.partitions, state.replication, differences(state)


async def apply_topics(common: CommonSettings) -> "list[TopicState]":
    """Create and adjust the topics; returns their states before. Raises Unavailable, Halt."""
    from shared.kafka.admin import Admin

    async with Admin.connected(common.kafka_bootstrap_servers, common.topic_prefix) as admin:
        return await admin.apply(common.partitions, common.replication_factor)


async def _inspect(common: CommonSettings) -> "list[TopicState]":
    from shared.kafka.admin import Admin

    async with Admin.connected(common.kafka_bootstrap_servers, common.topic_prefix) as admin:
        return await admin.inspect(common.replication_factor)


def differences(state: "TopicState") -> str:
    """The settings of a topic that differ, for people."""
    return ", ".join(f"{name}: {value or 'not set'} → {wanted}" for name, (value, wanted) in state.differs.items())


def _plain(state: "TopicState") -> dict[str, object]:
    return {
        "topic": state.name,
        "exists": state.exists,
        "partitions": state.partitions,
        "replication": state.replication,
        "differs": {name: {"found": value, "wanted": wanted} for name, (value, wanted) in state.differs.items()},
    }
