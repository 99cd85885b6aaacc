"""The cores that a process may use: a container's limit counts, not the machine."""

import os
from pathlib import Path

import pytest

from services.cli import cores


@pytest.mark.parametrize(
    ("limit", "usable"),
    [
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("max 100000", 8),
        ("9900000 100000", 8),
        ("", 8),
    ],
)
def test_the_limit_of_the_container_counts(
    limit: str, usable: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    file = tmp_path / "cpu.max"
    file.write_text(f"{limit}\n")
    assert cores.usable_cores(file) == usable


def test_without_a_limit_all_cores_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert cores.usable_cores(tmp_path / "missing") == 8
