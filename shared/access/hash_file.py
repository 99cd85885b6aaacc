"""The file of hashes (mode 600): lets the collector check keys at a cold start while PostgreSQL is away."""

import json
import os
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, PlainSerializer, ValidationError

from shared.access.records import KeyRecord


def _from_hex(value: Any) -> Any:
    if isinstance(value, str):
        return bytes.fromhex(value)
    return value


HexBytes = Annotated[
    bytes,
    BeforeValidator(_from_hex),
    PlainSerializer(lambda value: value.hex(), return_type=str),
]


class _StoredKey(BaseModel):
    id: str
    secret_hash: HexBytes
    name: str
    scopes: frozenset[str]
    created_at: datetime
    owner_email: str | None = None
    publishable: bool = False
    origins: tuple[str, ...] = ()
    rate_limit: int | None = None
    require_signature: bool = False
    sealed_signing_secret: HexBytes | None = None
    expires_at: datetime | None = None


class _Content(BaseModel):
    saved_at: datetime
    keys: list[_StoredKey]


class HashFile:
    """Live keys as of one moment. A key is not in it, only its SHA-256, and what its pages sign with only sealed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, records: Iterable[KeyRecord], now: datetime) -> None:
        """Replace the file whole; readable by its owner alone from its first byte."""
        keys = [_StoredKey.model_validate(record, from_attributes=True) for record in records]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(_Content(saved_at=now, keys=keys).model_dump_json())
            os.replace(draft, self.path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise

    def load(self) -> tuple[datetime, list[KeyRecord]] | None:
        """When it was saved and what it holds; None when it is missing, damaged or open to others."""
        try:
            if self.path.stat().st_mode & 0o077:
                return None
            content = _Content.model_validate(json.loads(self.path.read_bytes()))
        except (OSError, ValueError, ValidationError):
            return None
        return content.saved_at, [KeyRecord(**dict(key)) for key in content.keys]
