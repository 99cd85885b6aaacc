"""Every topic of Tellback, declared once: name, what it carries, how long it is kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

DAY_MS = 86_400_000
TYPE_PREFIX = "com.tellback."

RESPONSE_RECORDED = "response.recorded"
RESPONSE_AMENDED = "response.amended"
RESPONSE_WITHDRAWN = "response.withdrawn"
STAKEHOLDER_ERASED = "stakeholder.erased"
IMPORT_UNDONE = "import.undone"
ACCOUNT_UPSERTED = "account.upserted"
ACCOUNT_REMOVED = "account.removed"
STAKEHOLDER_UPSERTED = "stakeholder.upserted"
STAKEHOLDER_REMOVED = "stakeholder.removed"
INVITATION_KINDS = (
    "sent",
    "delivered",
    "opened",
    "started",
    "reminded",
    "bounced",
    "expired",
    "unsubscribed",
)
INVITATION_BOUNCED = "invitation.bounced"
INVITATION_UNSUBSCRIBED = "invitation.unsubscribed"
INVITATION_EVENTS = tuple(f"invitation.{kind}" for kind in INVITATION_KINDS)
CONTEXT_RECORDED = "context.recorded"
ACCOUNT_SCORE_CHANGED = "account_score.changed"
STAKEHOLDER_ANSWERED = "stakeholder.answered"
STAKEHOLDER_ANSWER_CORRECTED = "stakeholder.answer_corrected"
ACCOUNT_SCORE_DROPPED = "account_score.dropped"
ACCOUNT_SCORE_RECOVERED = "account_score.recovered"
ACCOUNT_CLASS_CHANGED = "account_class.changed"
STAKEHOLDER_WENT_SILENT = "stakeholder.went_silent"
FOLLOW_UP_OPENED = "follow_up.opened"
FOLLOW_UP_UPDATED = "follow_up.updated"
FOLLOW_UP_ESCALATED = "follow_up.escalated"
FOLLOW_UP_CLOSED = "follow_up.closed"


@dataclass(frozen=True)
class Topic:
    """A topic: `events` are type names without prefix and version; `retention_ms` is None where compacted."""

    name: str
    events: tuple[str, ...]
    retention_ms: int | None
    max_message_bytes: int = 1_048_588

    @property
    def compacted(self) -> bool:
        """Whether Kafka keeps the newest record of each key for ever."""
        return self.retention_ms is None

    @property
    def stays(self) -> timedelta:
        """The longest time that a record can stay in the log after a newer record of its key (such as a tombstone) or
        the retention has made it obsolete. Kafka deletes whole segments, each when its newest record is past the
        retention; a tombstone stays a day longer than the record that it deletes. The extra hour is for the broker,
        which checks every few minutes."""
        rest = timedelta(milliseconds=DAY_MS if self.retention_ms is None else self.retention_ms)
        return rest + timedelta(milliseconds=DAY_MS) + timedelta(hours=1)

    def config(self) -> dict[str, str]:
        """The settings of the topic in Kafka, as `tellback topics apply` writes them and `doctor` compares them."""
        common = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(self.max_message_bytes)}
        if self.compacted:
            return common | {"cleanup.policy": "compact", "max.compaction.lag.ms": str(DAY_MS)}
        return common | {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "segment.ms": str(DAY_MS),
        }


RESPONSES = Topic(
    "responses",
    (RESPONSE_RECORDED, RESPONSE_AMENDED, RESPONSE_WITHDRAWN, STAKEHOLDER_ERASED, IMPORT_UNDONE),
    7 * DAY_MS,
)
DIRECTORY = Topic("directory", (ACCOUNT_UPSERTED, ACCOUNT_REMOVED, STAKEHOLDER_UPSERTED, STAKEHOLDER_REMOVED), None)
INVITATIONS = Topic("invitations", INVITATION_EVENTS, 7 * DAY_MS)
CONTEXT_EVENTS = Topic("context-events", (CONTEXT_RECORDED,), 7 * DAY_MS)
ACCOUNT_SCORES = Topic("account-scores", (ACCOUNT_SCORE_CHANGED,), None)
SCORE_EVENTS = Topic(
    "score-events",
    (
        STAKEHOLDER_ANSWERED,
        STAKEHOLDER_ANSWER_CORRECTED,
        ACCOUNT_SCORE_DROPPED,
        ACCOUNT_SCORE_RECOVERED,
        ACCOUNT_CLASS_CHANGED,
        STAKEHOLDER_WENT_SILENT,
    ),
    21 * DAY_MS,
)
FOLLOW_UPS = Topic(
    "follow-ups", (FOLLOW_UP_OPENED, FOLLOW_UP_UPDATED, FOLLOW_UP_ESCALATED, FOLLOW_UP_CLOSED), 21 * DAY_MS
)
# A dead letter holds the original record and its reason, so it must fit a record of the largest other topic and more.
DEAD_LETTERS = Topic("dead-letters", (), 14 * DAY_MS, max_message_bytes=2_097_152)

TOPICS = (
    RESPONSES,
    DIRECTORY,
    INVITATIONS,
    CONTEXT_EVENTS,
    ACCOUNT_SCORES,
    SCORE_EVENTS,
    FOLLOW_UPS,
    DEAD_LETTERS,
)
BY_NAME = {topic.name: topic for topic in TOPICS}


def gone_from(topics: Iterable[Topic], written_until: datetime) -> datetime:
    """The time at which these topics, as they are declared here, hold no record any more that was written up to a
    moment."""
    return written_until + max(topic.stays for topic in topics)


def event_type(name: str, major: int = 1) -> str:
    """The CloudEvents type of an event, e.g. `com.tellback.response.recorded.v1`."""
    return f"{TYPE_PREFIX}{name}.v{major}"
