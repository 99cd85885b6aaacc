"""The golden samples: records as they were once written, kept for as long as their version may be read.

`samples/<type>.json` holds headers and value; further ones have a word more: `<type>.<word>.json`.
A sample is never edited: when a version gains an optional field, a new sample with it is put beside the old.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import shared.events
from shared.events.envelope import Event, EventData, decode, registered

FOLDER = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Sample:
    """One record: `file` without its ending, CloudEvents headers, the data."""

    file: str
    headers: dict[str, str]
    value: dict[str, Any]

    @property
    def type(self) -> str:
        """The CloudEvents type that the file is named after."""
        return self.headers["ce_type"]

    def raw_headers(self, **changed: str) -> list[tuple[str, bytes]]:
        """The headers as Kafka gives them; keyword arguments replace some (`-` is written `_`)."""
        return [(name, text.encode()) for name, text in (self.headers | changed).items()]

    def decoded(self, **added: Any) -> Event:
        """The record as our readers see it, with fields added to its value if wished."""
        return decode(self.raw_headers(), json.dumps(self.value | added).encode())


@cache
def all_samples() -> tuple[Sample, ...]:
    """Every golden sample, by file name."""
    return tuple(
        Sample(path.stem, record["headers"], record["value"])
        for path in sorted(FOLDER.glob("*.json"))
        for record in [json.loads(path.read_text(encoding="utf-8"))]
    )


@cache
def models() -> dict[str, type[EventData]]:
    """CloudEvents type -> model, of all event modules."""
    for module in iter_modules(shared.events.__path__):
        import_module(f"shared.events.{module.name}")
    return registered()
