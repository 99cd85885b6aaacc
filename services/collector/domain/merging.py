"""JSON merge patch (RFC 7396) on plain values, for PATCH and rows of the directory."""

from collections.abc import Mapping
from typing import Any


def merge_patch(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """`target` with the members of `patch`: objects merge member by member, null removes, other values replace."""
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            inner = merged.get(name)
            if not isinstance(inner, Mapping):
                inner = {}
            merged[name] = merge_patch(inner, value)
        else:
            merged[name] = value
    return merged
