"""Creates and checks topics; the brokers never create one by themselves."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from shared.errors import Halt, Unavailable
from shared.topics import TOPICS, Topic

_STATED = 1
"""Config source of a value that is set on the topic itself (Kafka's DYNAMIC_TOPIC_CONFIG)."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic compared with its declaration. `differs` maps a setting to (found, wanted)."""

    topic: Topic
    name: str
    exists: bool
    partitions: int
    replication: int
    differs: dict[str, tuple[str, str]]


class Admin:
    """Operations on topics; open it with `connected`."""

    def __init__(self, client: AIOKafkaAdminClient, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    @classmethod
    @asynccontextmanager
    async def connected(cls, bootstrap_servers: str, prefix: str = "") -> AsyncIterator["Admin"]:
        """An admin connection. Raises `Unavailable` when no broker answers."""
        client = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, request_timeout_ms=30_000)
        try:
            await client.start()
            yield cls(client, prefix)
        except (KafkaError, OSError) as error:
            if isinstance(error, KafkaError) and not getattr(error, "retriable", True):
                raise
            raise Unavailable("kafka_unavailable", "Kafka is not reachable", retry_after=5) from error
        finally:
            await client.close()

    async def cluster_id(self) -> str:
        """The id that a Kafka cluster keeps for life."""
        return str((await self._client.describe_cluster()).get("cluster_id") or "")

    async def apply(self, partitions: int, replication: int, topics: Sequence[Topic] = TOPICS) -> list[TopicState]:
        """Create missing topics and set settings that differ; the number of partitions is fixed at creation and
        never changed. Returns the states before. Raises `Halt` when a topic has another number of partitions than
        the others."""
        states = await self.inspect(replication, topics)
        counts = {state.partitions for state in states if state.exists}
        if len(counts) > 1:
            raise Halt("partitions_differ", "all topics must have the same number of partitions")
        missing = [state for state in states if not state.exists]
        if missing:
            await self._create(missing, next(iter(counts), partitions), replication)
        for state in states:
            if state.exists and state.differs:
                resource = ConfigResource(ConfigResourceType.TOPIC, state.name, _config(state.topic, replication))
                await self._client.alter_configs([resource])
        return states

    async def _create(self, missing: Sequence[TopicState], partitions: int, replication: int) -> None:
        topics = []
        for state in missing:
            config = _config(state.topic, replication)
            topics.append(NewTopic(state.name, partitions, replication, topic_configs=config))
        response = await self._client.create_topics(topics)
        for name, code, *_ in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(name)

    async def inspect(self, replication: int, topics: Sequence[Topic] = TOPICS) -> list[TopicState]:
        """The state of every topic compared with its declaration."""
        names = {topic: self._prefix + topic.name for topic in topics}
        known = set(await self._client.list_topics())
        existing = sorted(known.intersection(names.values()))
        partitions: dict[str, list[Any]] = {}
        configs: dict[str, dict[str, str]] = {}
        if existing:
            for described in await self._client.describe_topics(existing):
                partitions[described["topic"]] = described["partitions"]
            configs = await self._configs(existing)
        states = []
        for topic, name in names.items():
            if name not in known:
                states.append(TopicState(topic, name, exists=False, partitions=0, replication=0, differs={}))
                continue
            found = partitions.get(name, [])
            replicas = 0
            if found:
                replicas = len(found[0]["replicas"])
            differs = _differences(configs.get(name, {}), _config(topic, replication))
            states.append(TopicState(topic, name, True, len(found), replicas, differs))
        return states

    async def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found: dict[str, dict[str, str]] = {}
        for response in await self._client.describe_configs(resources):
            for _, _, _, name, entries in response.resources:
                found[name] = {entry[0]: entry[1] for entry in entries}
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


def _config(topic: Topic, replication: int) -> dict[str, str]:
    if replication == 1:
        return topic.config()
    return topic.config() | {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}
