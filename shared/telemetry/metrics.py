"""All metrics of Tellback, each declared once with its meaning. No label names an account or a person."""

import os
import platform

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import generate_latest as _generate
from prometheus_client.multiprocess import MultiProcessCollector

from shared.version import version

CONTENT_TYPE = CONTENT_TYPE_LATEST
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DELAY = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

build_info = Gauge(
    "tellback_build_info",
    "Always 1; what is running is in the labels.",
    ["service", "version", "python"],
    multiprocess_mode="max",
)

# Work beside the requests
task_failures_total = Counter(
    "tellback_task_failures_total", "Failures nobody foresaw of work in the background; it is begun anew.", ["task"]
)
task_waits_total = Counter(
    "tellback_task_waits_total", "Tries of work in the background that found away what it needs.", ["task"]
)
task_failing = Gauge(
    "tellback_task_failing",
    "1 while a background task fails and is begun anew again and again.",
    ["task"],
    multiprocess_mode="livemax",
)

# The disk
disk_free_bytes = Gauge(
    "tellback_disk_free_bytes",
    "Bytes that are free on the scarcest disk on which data of Kafka and PostgreSQL lie.",
    multiprocess_mode="livemin",
)
disk_low = Gauge(
    "tellback_disk_low",
    "1 while nothing is taken in, because less is free than the low-water mark.",
    multiprocess_mode="livemax",
)

words_forgotten_total = Counter(
    "tellback_words_forgotten_total", "Answers whose words were forgotten, because they were given long enough ago."
)

# HTTP
http_request_duration_seconds = Histogram(
    "tellback_http_request_duration_seconds",
    "From the first byte of a request to the last byte of its answer, by route template.",
    ["method", "route", "status"],
    buckets=_FAST,
)
http_requests_in_flight = Gauge(
    "tellback_http_requests_in_flight", "Requests being answered now.", multiprocess_mode="livesum"
)
http_connections_closed_total = Counter(
    "tellback_http_connections_closed_total",
    "Connections closed by the server: those that waited too long for the client (silent, head, body, answer, idle, "
    "leaving), and those that made room where a client (client) or all together (full) had too many.",
    ["reason"],
)
api_key_lookups_total = Counter(
    "tellback_api_key_lookups_total",
    "Where an API key was found: cache, database, stale (PostgreSQL away), file, or unavailable.",
    ["source"],
)

# Taking in
responses_accepted_total = Counter(
    "tellback_responses_accepted_total", "Responses answered with accepted, by the way they took.", ["via"]
)
import_rows_total = Counter(
    "tellback_import_rows_total", "Rows of imports: taken, skipped or bad.", ["kind", "outcome"]
)

# Asking
outgoing_calls = Gauge(
    "tellback_outgoing_calls",
    "Calls of other services that outreach has to make, by state: waiting, or stuck because the service refused them.",
    ["state"],
    multiprocess_mode="livemax",
)

# Publishing
publish_duration_seconds = Histogram(
    "tellback_publish_duration_seconds",
    "From the first record of a group, as they are sent together, to their acknowledgement.",
    ["topic"],
    buckets=_FAST,
)
publish_failures_total = Counter(
    "tellback_publish_failures_total",
    "Records that were not acknowledged, by the code of the error.",
    ["code"],
)
publisher_rebuilds_total = Counter(
    "tellback_publisher_rebuilds_total", "Times a broken Kafka producer was replaced by a fresh one."
)
publisher_breaker_open = Gauge(
    "tellback_publisher_breaker_open", "1 while Kafka is treated as away.", multiprocess_mode="max"
)
outbox_depth_records = Gauge(
    "tellback_outbox_depth_records", "Outbox rows that wait to be published.", multiprocess_mode="livemax"
)
outbox_age_seconds = Gauge(
    "tellback_outbox_age_seconds",
    "Age of the oldest of them, 0 when there is none.",
    multiprocess_mode="livemax",
)
outbox_published_total = Counter("tellback_outbox_published_total", "Outbox rows published by the relay.", ["topic"])

# Reading
records_read_total = Counter(
    "tellback_records_read_total",
    "Records read: new, repeat, change, pending, conflict, passed_over or dead_lettered.",
    ["topic", "outcome"],
)
consumer_lag_records = Gauge(
    "tellback_consumer_lag_records",
    "Records between the cursor and the end of the partition.",
    ["group", "topic", "partition"],
    multiprocess_mode="livemax",
)
consumer_lag_seconds = Gauge(
    "tellback_consumer_lag_seconds",
    "Age of the record at the cursor, 0 when everything is read.",
    ["group", "topic", "partition"],
    multiprocess_mode="livemax",
)
consumer_rebuilds_total = Counter(
    "tellback_consumer_rebuilds_total", "Times a stalled Kafka consumer was replaced by a fresh one."
)
log_tail_lost_total = Counter(
    "tellback_log_tail_lost_total",
    "Records that had been read and that Kafka lost with the end of its log, as in a power cut; 1 where new ones have "
    "taken their place, so that nobody knows how many.",
    ["topic"],
)
pipeline_delay_seconds = Histogram(
    "tellback_pipeline_delay_seconds",
    "From the acceptance of a response to the named stage: stored, scored, alerted, delivered.",
    ["stage"],
    buckets=_DELAY,
)
halted = Gauge(
    "tellback_halted",
    "1 while the service reads nothing until an operator decides, or until its schema is migrated.",
    ["reason"],
    multiprocess_mode="livemax",
)
waiting = Gauge(
    "tellback_waiting",
    "1 while what was read has waited for more than a minute to be written.",
    ["reason"],
    multiprocess_mode="livemax",
)
handler_errors_total = Counter(
    "tellback_handler_errors_total", "Failures of a handler on a single record.", ["topic", "event", "error"]
)
batches_split_total = Counter(
    "tellback_batches_split_total", "Times a batch that failed was tried again in smaller pieces.", ["topic"]
)
set_aside_records = Gauge(
    "tellback_set_aside_records",
    "Dead letters by state: retrying or dead.",
    ["state", "reason"],
    multiprocess_mode="livemax",
)
set_aside_applied_total = Counter(
    "tellback_set_aside_applied_total", "Records that were set aside and found their outcome later.", ["topic"]
)
must_apply_waiting = Gauge(
    "tellback_must_apply_waiting",
    "Erasures, withdrawals and objections that could not be applied yet; must be 0.",
    ["event"],
    multiprocess_mode="livemax",
)
dlq_records_total = Counter("tellback_dlq_records_total", "Records put among the dead letters.", ["reason"])
parked_purged_total = Counter("tellback_parked_purged_total", "Dead letters deleted since they were too old.")
conflicts_total = Counter("tellback_conflicts_total", "Records parked as conflicts.", ["reason"])
pending_changes = Gauge(
    "tellback_pending_changes",
    "Amendments and withdrawals that wait for their response.",
    ["kind"],
    multiprocess_mode="livemax",
)
pending_changes_dropped_total = Counter(
    "tellback_pending_changes_dropped_total", "Amendments given up because their response never came."
)

# Figures and follow-ups
aggregate_drift = Gauge(
    "tellback_aggregate_drift",
    "Accounts of the last self-check whose stored figures differ from a recomputation; must be 0.",
    multiprocess_mode="livemax",
)
accounts_not_projected = Gauge(
    "tellback_accounts_not_projected",
    "Accounts whose changes cannot be worked out, tried again and again; must be 0.",
    multiprocess_mode="livemax",
)
oldest_dirty_account_seconds = Gauge(
    "tellback_oldest_dirty_account_seconds",
    "How long the longest waiting account has waited to be projected; 0 when none waits.",
    multiprocess_mode="livemax",
)
projection_seconds = Histogram(
    "tellback_projection_seconds",
    "Duration of one turn of the projector: some accounts claimed, computed and written.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
feed_lag_seconds = Gauge(
    "tellback_feed_lag_seconds",
    "For how long the oldest change is kept from those who copy the responses, since an older transaction still runs.",
    multiprocess_mode="livemax",
)
stale_accounts_read = Histogram(
    "tellback_stale_accounts_read",
    "Accounts that a read counted from their answers, since their kept figures did not hold any more.",
    buckets=(0, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000),
)
follow_ups_opened_total = Counter("tellback_follow_ups_opened_total", "Follow-ups opened.", ["kind", "severity"])
follow_ups_escalated_total = Counter(
    "tellback_follow_ups_escalated_total",
    "Levels that fired: overdue (no first touch), promise_near, promise_past.",
    ["reason"],
)
notices_total = Counter("tellback_notices_total", "Notices to people, by channel and outcome.", ["via", "outcome"])
tasks_overdue_without_escalation = Gauge(
    "tellback_tasks_overdue_without_escalation",
    "Follow-ups of which a level should have fired and has not; must be 0.",
    multiprocess_mode="livemax",
)
webhook_deliveries_total = Counter(
    "tellback_webhook_deliveries_total", "Attempts to deliver a webhook, by outcome.", ["outcome"]
)
webhook_attempt_duration_seconds = Histogram(
    "tellback_webhook_attempt_duration_seconds", "Time one attempt took, whatever came of it.", buckets=_FAST
)


def announce(service: str) -> None:
    """Set the metric with the service and version of this process."""
    build_info.labels(service, version(), platform.python_version()).set(1)


def exposition() -> bytes:
    """All metrics in Prometheus' text format; summed over the worker processes where there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return _generate(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return _generate(registry)
