"""`tellback topics`: makes the topics and keeps their settings as shared/topics.py declares them."""

from typing import TYPE_CHECKING, Any

import typer

from services.cli.console import DataOption, Exit, JsonOption, WaitOption, as_json, say, table
from services.cli.installation import run_on
from shared.settings import CommonSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.kafka.admin import TopicState

REFUSES = "Kafka refuses"
"""How the lines begin that say what was not set."""
app = typer.Typer(no_args_is_help=True, help="Make and list the topics in Kafka.")


@app.command("apply")
def apply(data: DataOption = None, wait: WaitOption = 0.0, json: JsonOption = False) -> None:
    """Make what is missing and set what differs. The number of partitions is fixed when a topic is made. A setting that
    Kafka refuses is named, and the others are set; docs/operations.md says what each is for."""
    states = run_on(data, apply_topics, kafka=True, wait=wait)
    if json:
        as_json([{"topic": state.name, "outcome": _outcome(state), "refused": state.refused} for state in states])
    else:
        table(("topic", "outcome"), [(state.name, _outcome(state)) for state in states])
        for line in refusals(states):
            say(line)


def refusals(states: "Sequence[TopicState]") -> list[str]:
    """A line for each reason with which Kafka refused settings: which settings of which topics those are."""
    found: dict[tuple[str, str], list[str]] = {}
    for state in states:
        for setting, reason in state.refused.items():
            found.setdefault((setting, reason), []).append(state.name)
    return [f"{REFUSES} {name} of {', '.join(topics)}: {reason}" for (name, reason), topics in found.items()]


def _outcome(before: "TopicState") -> str:
    """What `apply` did to a topic with this state before."""
    outcome = "made"
    if before.differs:
        outcome = "changed"
    elif before.exists:
        outcome = "as wanted"
    if before.unreadable or (before.differs and before.refused.keys() >= before.differs.keys()):
        outcome = "not changed"
    if before.refused:
        return f"{outcome}, without {', '.join(before.refused)}"
    return outcome


@app.command("list")
def list_topics(data: DataOption = None, json: JsonOption = False) -> None:
    """Every topic: whether it exists, its partitions and copies, and what differs. Exit code 1 if anything does."""
    topics = run_on(data, _inspect, kafka=True)
    if json:
        as_json(list(map(_plain, topics)))
    else:
        columns = ("topic", "exists", "partitions", "copies", "differs (found, wanted)")
        table(columns, map(_row, topics))
    if any(not state.exists or state.differs or state.unreadable for state in topics):
        raise typer.Exit(Exit.FAILED)


def _row(state: "TopicState") -> tuple[Any, ...]:
    return state.name, state.exists, state.partitions, state.replication, differences(state)


async def apply_topics(common: CommonSettings) -> "list[TopicState]":
    """Create and adjust the topics; returns their states before, with what Kafka refused. Raises Unavailable, Halt."""
    from shared.kafka.admin import Admin

    async with Admin.connected(common.kafka, common.topic_prefix) as admin:
        return await admin.apply(common.partitions, common.replication_factor)


async def _inspect(common: CommonSettings) -> "list[TopicState]":
    from shared.kafka.admin import Admin

    async with Admin.connected(common.kafka, common.topic_prefix) as admin:
        return await admin.inspect(common.replication_factor)


def differences(state: "TopicState") -> str:
    """The settings of a topic that differ, for people."""
    if state.unreadable:
        return state.unreadable
    return ", ".join(f"{name}: {value or 'not set'} → {wanted}" for name, (value, wanted) in state.differs.items())


def _plain(state: "TopicState") -> dict[str, object]:
    return {
        "topic": state.name,
        "exists": state.exists,
        "partitions": state.partitions,
        "replication": state.replication,
        "differs": {name: {"found": value, "wanted": wanted} for name, (value, wanted) in state.differs.items()},
    }
