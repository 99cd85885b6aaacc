"""The scorer's own tables, as its migrations leave them (plumbing and directory are declared in
shared.db)."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()
_INSTANT = DateTime(timezone=True)


def _required(name: str, kind: object) -> Column[object]:
    return Column(name, kind, nullable=False)  # type: ignore[arg-type]


RESPONSES = Table(
    "responses",
    METADATA,
    Column("response_id", Text, primary_key=True),
    _required("account_id", Text),
    _required("stakeholder_id", Text),
    Column("email", Text),
    _required("survey_type", Text),
    _required("score", SmallInteger),
    Column("comment", Text),
    _required("answered_at", _INSTANT),
    _required("recorded_at", _INSTANT),
    _required("nps_kind", Text),
    Column("touchpoint", Text),
    Column("product", Text),
    Column("channel", Text),
    Column("survey_id", Text),
    Column("invitation_id", Text),
    Column("language", Text),
    _required("follow_up_requested", Boolean),
    _required("attributes", JSONB),
    _required("test", Boolean),
    _required("quiet", Boolean),
    _required("sent", ARRAY(Text)),
    _required("withdrawn", Boolean),
    _required("erased", Boolean),
    _required("revision", Integer),
    Column("base", JSONB),
    _required("updated_at", _INSTANT),
)
"""The truth: one row an answer. Live values; `base` holds the first values of the fields changed since. A
row is live when neither withdrawn nor erased nor test."""

RESPONSE_ANSWERS = Table(
    "response_answers",
    METADATA,
    Column("response_id", Text, primary_key=True),
    Column("question_id", Text, primary_key=True),
    _required("position", SmallInteger),
    _required("account_id", Text),
    _required("stakeholder_id", Text),
    _required("answered_at", _INSTANT),
    _required("type", Text),
    Column("attribute", Text),
    Column("value_number", Numeric),
    Column("value_text", Text),
)
"""The live entries of `answers`, in the order sent; numbers and texts in columns of their own."""

RESPONSE_CHANGES = Table(
    "response_changes",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    _required("response_id", Text),
    _required("account_id", Text),
    Column("stakeholder_id", Text),
    _required("kind", Text),
    _required("changes", JSONB),
    _required("recorded_at", _INSTANT),
    Column("survey_type", Text),
    Column("posted", Text),
)
"""Amendments and withdrawals, also those whose response has not come yet."""

PENDING_CHANGES = Table(
    "pending_changes",
    METADATA,
    Column("event_id", Uuid, ForeignKey("response_changes.event_id", ondelete="CASCADE"), primary_key=True),
    _required("response_id", Text),
    _required("recorded_at", _INSTANT),
    Column("partition", Integer),
    Column("record_offset", BigInteger),
    Column("headers", JSONB),
    Column("value", LargeBinary),
    Column("sender", Text),
)
"""Those of the changes that still wait for their response, as they were read."""

MARKS = Table(
    "marks",
    METADATA,
    Column("account_id", Text, primary_key=True),
    _required("marked_at", _INSTANT),
    _required("loud", Boolean),
    _required("tries", Integer),
    Column("failed_at", _INSTANT),
    Column("retry_at", _INSTANT),
    _required("since", _INSTANT),
    _required("taken", Boolean),
)
"""Accounts to project; `loud` when something recent touched them, so that class and drop may be told; as of moments
before `since` nothing is another; `taken` when a projector has read it and nothing has touched the account since. One
with `retry_at` was in a projection that failed and is projected apart from the others then; `failed_at` says since when
it fails by itself, `tries` how often since it was last touched."""

SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("account_id", Text, primary_key=True),
    _required("sequence", BigInteger),
    _required("computed_at", _INSTANT),
    _required("account_class", Text),
    _required("class_numbers", JSONB),
    _required("attributes", JSONB),
    _required("digest", LargeBinary),
    _required("dropped", Boolean),
    Column("dropped_until", _INSTANT),
    Column("next_border", _INSTANT),
)
"""One row an account as last told, its figures by their digest, and when time alone will change them."""

ACCOUNT_COUNTS = Table(
    "account_counts",
    METADATA,
    Column("score_window", Text, primary_key=True),
    Column("moment", _INSTANT, primary_key=True),
    Column("account_id", Text, primary_key=True),
    *(
        Column(f"{picked}_{score}", Integer)
        for picked in ("latest", "latest_before", "all", "all_before")
        for score in range(11)
    ),
    *(Column(name, Integer) for name in ("respondents", "respondents_before")),
    *(Column(name, _INSTANT) for name in ("last_at", "last_before")),
    *(Column(name, Integer) for name in ("pairs", "pairs_sum", "pairs_squares", "known", "asked", "sent")),
    *(Column(name, Integer) for name in ("delivered", "opened", "started", "bounced", "answered", "commented")),
    Column("follow_up_requested", Integer),
)
"""The counts kept of each account, which add up: answers of each score by both methods, in the window and in the one
before; the people who gave them; the people in both with the sums of their changes and of the squares; known people and
invitations. A count of 0 is null. In two partitions: as of now, whose moment is infinity, rewritten together with
SNAPSHOTS; and as of the ends of months, of which MONTHS_VALID says what holds."""

MONTHS_VALID = Table(
    "months_valid",
    METADATA,
    Column("account_id", Text, primary_key=True),
    _required("upto", _INSTANT),
)
"""The accounts whose counts as of the ends of months say what is true, and up to which moment there are any."""

LATEST_PAIRS = Table(
    "latest_pairs",
    METADATA,
    Column("account_id", Text, primary_key=True),
    Column("stakeholder_id", Text, primary_key=True),
    Column("survey_type", Text, primary_key=True),
    Column("nps_kind", Text, primary_key=True),
    _required("response_id", Text),
    _required("answered_at", _INSTANT),
    _required("score", SmallInteger),
    _required("follow_up_requested", Boolean),
    _required("fresh", Boolean),
    Column("previous_response_id", Text),
    Column("previous_answered_at", _INSTANT),
    Column("previous_score", SmallInteger),
    _required("falls_in_a_row", Integer),
)
"""The latest answer of a person with the one before, as the score-events have told it."""

INVITATIONS = Table(
    "invitations",
    METADATA,
    Column("account_id", Text, primary_key=True),
    Column("invitation_id", Text, primary_key=True),
    Column("stakeholder_id", Text, primary_key=True),
    Column("survey_id", Text),
    Column("channel", Text),
    Column("sent_at", _INSTANT),
    Column("delivered_at", _INSTANT),
    Column("opened_at", _INSTANT),
    Column("started_at", _INSTANT),
    Column("reminded_at", _INSTANT),
    Column("bounced_at", _INSTANT),
    Column("expired_at", _INSTANT),
    Column("unsubscribed_at", _INSTANT),
    Column("withdrawn_at", _INSTANT),
    _required("recorded_at", _INSTANT),
    Column("silent_at", _INSTANT),
)
"""How far each invitation came; `silent_at` is when its silence was told."""

CONTEXT_MARKS = Table(
    "context_marks",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    _required("account_id", Text),
    Column("stakeholder_id", Text),
    _required("kind", Text),
    _required("at", _INSTANT),
    Column("label", Text),
    _required("recorded_at", _INSTANT),
)
"""What happened around the answers: marks on a trend."""

ERASURES = Table(
    "erasures",
    METADATA,
    Column("receipt_id", Uuid, primary_key=True),
    _required("subject", Text),
    _required("account_id", Text),
    Column("stakeholder_id", Text),
    _required("erased_at", _INSTANT),
    Column("applied_at", _INSTANT),
    _required("responses", Integer),
    _required("invitations", Integer),
    _required("context_marks", Integer),
)
"""The journal: `subject` is the keyed hash of the person; what was recorded at or before `erased_at` stays
out. Before `applied_at` the person is hidden, and `stakeholder_id` says who."""

DROPPED_RESPONSES = Table(
    "dropped_responses",
    METADATA,
    Column("response_id", Text, primary_key=True),
    _required("account_id", Text),
)
"""Responses that came only after the erasure of their person: never stored, nor what is still said about them."""
