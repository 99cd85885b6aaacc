"""The importer's mapping of fields to columns, as it is written: `field=column,field=column`, where names of columns
may hold commas and equals signs, as the texts of questions do."""

import re
from collections.abc import Collection, Mapping

ATTRIBUTE = re.compile(r"attributes\.[^\x00-\x1f\x7f]{1,200}")


class MappingError(Exception):
    """A text that is no mapping."""


def written_mapping(text: str, fields: Collection[str]) -> dict[str, str]:
    """Field -> column, or column -> field where that is the only reading. A comma begins a new pair only where a field
    and `=` follow it. Raises MappingError."""
    field = "|".join(map(re.escape, sorted(fields, key=len, reverse=True)))
    begins = rf"(?:{field}|attributes\.[^=,]{{1,200}}?)\s*="
    if re.match(rf"\s*{begins}", text):
        return dict(_pair(part) for part in re.split(rf",(?=\s*{begins})", text))
    from_columns = re.findall(rf"\s*(.+?)\s*=\s*({field}|attributes\.[^=,]{{1,200}}?)\s*(?:,|$)", text)
    if from_columns:
        return dict(from_columns)
    if re.fullmatch(r"[^=]+=.*", text, re.DOTALL):
        return dict([_pair(text)])
    raise MappingError


def _pair(text: str) -> tuple[str, str]:
    field, _, column = text.strip().rstrip(",").partition("=")
    return field.strip(), column.strip()


def directed(mapping: Mapping[str, str], fields: Collection[str]) -> Mapping[str, str] | None:
    """The mapping as field -> column name, in whichever direction it was written; None where it has other fields."""
    if all(is_field(field, fields) for field in mapping):
        return mapping
    if all(is_field(field, fields) for field in mapping.values() if field):
        return {field: name for name, field in mapping.items() if field}
    return None


def is_field(name: str, fields: Collection[str]) -> bool:
    """Whether this is a field of a record, or an attribute."""
    return name in fields or ATTRIBUTE.fullmatch(name) is not None
