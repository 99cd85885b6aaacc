"""Removes keys and passwords from logs, recognised by the name of their field or by their form."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

MASK = "[redacted]"
_SECRET_NAME = re.compile(
    r"secret|password|passwd|token|authorization|api_?key|cookie|credential|signature|private_key",
    re.IGNORECASE,
)
_SECRET_LOOKS = re.compile(
    r"\b(?P<key>tb|pk)_(?P<id>[a-z0-9]{12})_[A-Za-z0-9_-]+"
    r"|\bwhsec_[A-Za-z0-9+/=_-]+"
    r"|(?P<scheme>\b[a-z][a-z0-9+.-]*://[^/@\s:]*):[^/@\s]+@"
    r"|\b(?P<bearer>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAMES_OF_PAYLOAD = frozenset({"body", "payload", "comment", "answers", "email", "value"})


def redacted(text: str) -> str:
    """The text without API keys (their id stays), webhook secrets, passwords in addresses, credentials."""
    return _SECRET_LOOKS.sub(_mask, text)


def _mask(match: re.Match[str]) -> str:
    if match["key"]:
        return f"{match['key']}_{match['id']}_{MASK}"
    if match["scheme"]:
        return f"{match['scheme']}:{MASK}@"
    if match["bearer"]:
        return f"{match['bearer']} {MASK}"
    return MASK


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: mask fields whose names say secret or content, and secrets within any text."""
    for name, value in event.items():
        if _hidden(name) and value is not None:
            event[name] = MASK
        else:
            event[name] = _clean(value)
    return event


def _hidden(name: str) -> bool:
    return name in _NAMES_OF_PAYLOAD or _SECRET_NAME.search(name) is not None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return _clean_mapping(value)
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _clean_mapping(value: Mapping[Any, Any]) -> dict[Any, Any]:
    cleaned = {}
    for key, item in value.items():
        cleaned[key] = MASK
        if not _hidden(str(key)):
            cleaned[key] = _clean(item)
    return cleaned


def one_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor for terminals: no text begins another line or moves the cursor. JSON needs none of this."""
    for name, value in event.items():
        if isinstance(value, str) and name != "exception":
            event[name] = _CONTROL.sub(lambda sign: sign[0].encode("unicode_escape").decode(), value)
    return event
