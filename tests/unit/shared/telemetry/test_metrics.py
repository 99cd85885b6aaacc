"""Every metric has a description in one style, and no label whose values grow with the customers."""

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from shared.telemetry import metrics

DECLARED = {name: value for name, value in vars(metrics).items() if isinstance(value, Counter | Gauge | Histogram)}
PROMISED = {
    "tellback_http_request_duration_seconds",
    "tellback_responses_accepted",
    "tellback_publish_duration_seconds",
    "tellback_consumer_lag_records",
    "tellback_consumer_lag_seconds",
    "tellback_pipeline_delay_seconds",
    "tellback_dlq_records",
    "tellback_webhook_deliveries",
    "tellback_aggregate_drift",
    "tellback_build_info",
    "tellback_outbox_depth_records",
    "tellback_outbox_age_seconds",
}
ALLOWED_LABELS = {
    *("service", "version", "python", "method", "route", "status", "source", "via", "kind", "outcome", "topic"),
    *("code", "group", "partition", "stage", "reason", "severity", "le", "event", "error", "state", "task"),
}


def families() -> dict[str, str]:
    own = {id(collector) for collector in DECLARED.values()}
    return {
        family.name: family.documentation
        for collector in DECLARED.values()
        if id(collector) in own
        for family in collector.describe()
    }


def test_the_promised_metrics_are_there() -> None:
    assert set(families()) >= PROMISED


def test_names_and_meanings_follow_one_style() -> None:
    for variable, collector in DECLARED.items():
        [family] = collector.describe()
        expected = f"{family.name}_total" if isinstance(collector, Counter) else family.name
        assert expected == f"tellback_{variable}"
        assert family.documentation.endswith(".")


def test_no_label_names_an_account_or_a_person() -> None:
    for collector in DECLARED.values():
        assert set(collector._labelnames) <= ALLOWED_LABELS


def test_the_exposition_names_the_service() -> None:
    metrics.announce("scorer")
    assert b'service="scorer"' in metrics.exposition()
    assert REGISTRY.get_sample_value("tellback_aggregate_drift") is not None


def test_several_workers_are_exposed_as_one(tmp_path: Path) -> None:
    counting = "from shared.telemetry import metrics; metrics.responses_accepted_total.labels('kafka').inc()"
    showing = "from shared.telemetry import metrics; print(metrics.exposition().decode())"
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": os.getcwd()}
    for script in (counting, counting):
        subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    shown = subprocess.run(
        [sys.executable, "-c", showing], env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert 'tellback_responses_accepted_total{via="kafka"} 2.0' in shown
