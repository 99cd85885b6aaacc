"""Creates and checks topics; the brokers never create one by themselves."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    InvalidConfigurationError,
    KafkaError,
    PolicyViolationError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from shared.errors import Halt
from shared.kafka.connection import KafkaConnection
from shared.kafka.probe import FORBIDDEN, KafkaAway, fault_of, right_missing
from shared.topics import TOPICS, Topic

_STATED = 1
"""Config source of a value that is set on the topic itself (Kafka's DYNAMIC_TOPIC_CONFIG)."""
_FOR_EVER = {"retention.ms": "-1"}
"""What stands in for compaction where Kafka has none: no record goes, so no key loses its newest one."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic compared with its declaration. `differs` maps a setting to (found, wanted), `stated` are the settings of
    the topic itself, also those that Tellback does not declare. `unreadable` says why its settings cannot be read.
    `refused` maps a setting that Kafka did not take to the reason that it gave."""

    topic: Topic
    name: str
    exists: bool
    partitions: int
    replication: int
    differs: dict[str, tuple[str, str]]
    stated: dict[str, str] = field(default_factory=dict)
    unreadable: str = ""
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings of a topic as Kafka tells them: all, and those set on the topic itself."""

    values: dict[str, str]
    stated: dict[str, str]
    unreadable: str = ""


class Admin:
    """Operations on topics; open it with `connected`."""

    def __init__(self, client: AIOKafkaAdminClient, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    @classmethod
    @asynccontextmanager
    async def connected(cls, kafka: KafkaConnection, prefix: str = "") -> AsyncIterator["Admin"]:
        """An admin connection. Raises `Unavailable` when no broker answers."""
        client: AIOKafkaAdminClient | None = None
        try:
            client = AIOKafkaAdminClient(**kafka.options(), request_timeout_ms=30_000)
            await client.start()
            yield cls(client, prefix)
        except FORBIDDEN as error:
            raise KafkaAway("Kafka refuses the work", right_missing(error)) from error
        except (KafkaError, OSError) as error:
            if isinstance(error, KafkaError) and not getattr(error, "retriable", True):
                raise
            raise KafkaAway("Kafka is not reachable", await fault_of(kafka)) from error
        finally:
            if client is not None:
                await client.close()

    async def cluster_id(self) -> str:
        """The id that a Kafka cluster keeps for life."""
        return str((await self._client.describe_cluster()).get("cluster_id") or "")

    async def apply(self, partitions: int, replication: int, topics: Sequence[Topic] = TOPICS) -> list[TopicState]:
        """Create missing topics and set settings that differ; settings of a topic that Tellback does not declare are
        kept, and the number of partitions is fixed at creation and never changed. Returns the states before, with what
        Kafka refused. Raises `Halt` when a topic has another number of partitions than the others, or cannot be made
        at all."""
        states = await self.inspect(replication, topics)
        counts = {state.partitions for state in states if state.exists}
        if len(counts) > 1:
            raise Halt("partitions_differ", "all topics must have the same number of partitions")
        bare: set[str] = set()
        missing = [state for state in states if not state.exists]
        if missing:
            bare = await self._create(missing, next(iter(counts), partitions), replication)
        applied = []
        for state in states:
            wanted = _config(state.topic, replication)
            refused: dict[str, str] = {}
            if state.unreadable:
                # Changing them replaces all, so those of an operator would be lost.
                refused = dict.fromkeys(wanted, state.unreadable)
            elif state.differs:
                refused = await self._adjust(state, {name: wanted[name] for name in state.differs})
            elif state.name in bare:
                refused = await self._adjust(state, wanted)
            applied.append(replace(state, refused=refused))
        return applied

    async def _create(self, missing: Sequence[TopicState], partitions: int, replication: int) -> set[str]:
        """Create topics with their settings; returns the names of those that were made without, because Kafka refuses
        one of them. Raises `Halt` where it refuses the topic."""
        wanted = {state.name: _config(state.topic, replication) for state in missing}
        refused = await self._created(wanted, partitions, replication)
        if not refused:
            return set()
        still = await self._created({name: {} for name in refused}, partitions, replication)
        if still:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in still.items())
            raise Halt("topics_refused", f"Kafka refuses to make topics: {reasons}")
        return set(refused)

    async def _created(self, wanted: Mapping[str, dict[str, str]], partitions: int, replication: int) -> dict[str, str]:
        """Create topics with these settings; returns those that Kafka refuses, with its reasons."""
        topics = [NewTopic(name, partitions, replication, topic_configs=config) for name, config in wanted.items()]
        response = await self._client.create_topics(topics)
        refused = {}
        for name, code, *message in response.topic_errors:
            error = for_code(code)
            if error in (PolicyViolationError, InvalidConfigurationError):
                refused[name] = _reason(code, message)
            elif code and error is not TopicAlreadyExistsError:
                raise error(name)
        return refused

    async def _adjust(self, state: TopicState, wanted: Mapping[str, str]) -> dict[str, str]:
        """Set settings of a topic, and keep those that it has. Returns what Kafka refuses, with its reasons."""
        if not await self._alter(state.name, state.stated | dict(wanted)):
            return {}
        taken, refused = dict(state.stated), {}
        for setting, value in wanted.items():  # Kafka takes all or nothing, and does not say which it was
            reason = await self._alter(state.name, taken | {setting: value})
            if reason:
                refused[setting] = reason
            else:
                taken[setting] = value
        if state.topic.compacted and "cleanup.policy" in refused:
            reason = await self._alter(state.name, taken | _FOR_EVER)
            if reason:
                refused |= dict.fromkeys(_FOR_EVER, reason)
        return refused

    async def _alter(self, name: str, config: dict[str, str]) -> str:
        """Set all settings of a topic; the reason where Kafka refuses, else nothing. Raises `KafkaError` where it may
        not refuse the next time."""
        try:
            answers = await self._client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, config)])
        except IncompatibleBrokerVersion:
            return "Kafka does not let settings be changed"
        for code, message, *_ in answers[0].resources:
            if code and for_code(code).retriable:
                raise for_code(code)(name)
            if code:
                return _reason(code, [message])
        return ""

    async def inspect(self, replication: int, topics: Sequence[Topic] = TOPICS) -> list[TopicState]:
        """The state of every topic compared with its declaration."""
        names = {topic: self._prefix + topic.name for topic in topics}
        known = set(await self._client.list_topics())
        existing = sorted(known.intersection(names.values()))
        partitions: dict[str, list[Any]] = {}
        settings: dict[str, _Settings] = {}
        if existing:
            for described in await self._client.describe_topics(existing):
                partitions[described["topic"]] = described["partitions"]
            settings = await self._settings(existing)
        states = []
        for topic, name in names.items():
            if name not in known:
                states.append(TopicState(topic, name, exists=False, partitions=0, replication=0, differs={}))
                continue
            found = partitions.get(name, [])
            replicas = 0
            if found:
                replicas = len(found[0]["replicas"])
            own = settings.get(name, _Settings({}, {}))
            differs = {}
            if not own.unreadable:
                differs = _differences(own.values, _config(topic, replication))
            states.append(
                TopicState(topic, name, True, len(found), replicas, differs, own.stated, unreadable=own.unreadable)
            )
        return states

    async def _settings(self, names: Sequence[str]) -> dict[str, _Settings]:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found: dict[str, _Settings] = {}
        for response in await self._client.describe_configs(resources):
            for code, message, _, name, entries in response.resources:
                unreadable = ""
                if code:
                    unreadable = f"its settings cannot be read: {_reason(code, [message])}"
                values, stated = {}, {}
                for setting, value, _, source, *_ in entries:
                    values[setting] = value
                    if source == _STATED:
                        stated[setting] = value
                found[name] = _Settings(values, stated, unreadable)
        return found

    async def delete(self, topics: Sequence[Topic] = TOPICS) -> None:
        """Delete the topics of this environment; missing ones are ignored."""
        # All names are sent, also unlisted ones: a broker may not list a topic yet that was made a moment ago.
        response = await self._client.delete_topics([self._prefix + topic.name for topic in topics])
        for name, code in response.topic_error_codes:
            error = for_code(code)
            if code and error is not UnknownTopicOrPartitionError:
                raise error(name)


def _differences(found: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Setting -> (found, wanted), where they differ; an absent one is found as an empty text."""
    differs = {}
    for setting, value in wanted.items():
        if found.get(setting) != value:
            differs[setting] = found.get(setting, ""), value
    return differs


def _reason(code: int, message: Iterable[str | None]) -> str:
    """What Kafka says of a refusal, or else the description of its error."""
    said = next(iter(message), None)
    return said or for_code(code).description or for_code(code).__name__


def _config(topic: Topic, replication: int) -> dict[str, str]:
    if replication == 1:
        return topic.config()
    return topic.config() | {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}
