"""Malformed calls: every route of an API, with one fault at a time, byte by byte."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from tests.support.strange_values import FORMS, HEADERS, KINDS, LITERALS, NUMBERS, TEXTS, TIMES, WHOLE_BODIES

JSON = "application/json"
MULTIPART = "multipart/form-data"
_HERE = "(here)"
_METHODS = ("get", "put", "post", "delete", "patch")
_NOBODY = "00000000-0000-4000-8000-000000000000"

Schema = dict[str, Any]
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A request, and its fault."""

    what: str
    method: str
    target: bytes
    headers: Headers = ()
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.target[:200]!r} {self.what}: {self.headers!r:.200} {self.body[:300]!r}"


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a route, as the OpenAPI document describes it."""

    method: str
    path: str
    described: Schema
    document: Schema = field(repr=False)

    def parameters(self, where: str) -> list[Schema]:
        """The parameters in the path, query or header."""
        return [parameter for parameter in self.described.get("parameters", []) if parameter["in"] == where]

    def call(self, what: str, known: Mapping[str, str], **query: bytes) -> Call:
        """A call without a body: required parameters are taken from `known`; values in `query` are escaped already."""
        target = self.path
        for parameter in self.parameters("path"):
            target = target.replace("{" + parameter["name"] + "}", quote(_known(parameter, known), safe=""))
        needed = {}
        for parameter in self.parameters("query"):
            if needs(parameter):
                needed[parameter["name"]] = quote(_known(parameter, known)).encode()
        asked = b"&".join(name.encode() + b"=" + value for name, value in (needed | query).items())
        return Call(what, self.method, target.encode() + (b"?" + asked if asked else b""))

    def content(self) -> dict[str, Schema]:
        """Media type to description of the body; empty for an operation without a body."""
        found: dict[str, Schema] = self.described.get("requestBody", {}).get("content", {})
        return found

    def schema(self, of: Schema) -> Schema:
        """A schema with its references resolved."""
        while "$ref" in of:
            of = self.document["components"]["schemas"][of["$ref"].rsplit("/", 1)[1]]
        options = [option for option in of.get("anyOf", []) if option.get("type") != "null"]
        return self.schema(options[0]) if options else of

    def example(self) -> Any:
        """The example of a body in the document."""
        content = self.content()[JSON]
        if "example" in content:
            return content["example"]
        examples = self.schema(content["schema"]).get("examples")
        return examples[0] if examples else {}


def operations_of(document: Schema) -> list[Operation]:
    """All operations of an API, deletions last."""
    operations = [
        Operation(method.upper(), path, described, document)
        for path, item in document["paths"].items()
        for method, described in item.items()
        if method in _METHODS
    ]
    return sorted(operations, key=lambda operation: operation.method == "DELETE")


def needs(parameter: Schema) -> bool:
    """Whether the parameter is required."""
    return bool(parameter.get("required"))


def strange_calls(operation: Operation, known: Mapping[str, str]) -> Iterator[Call]:
    """Every call of this module for one operation."""
    yield from _strange_paths(operation, known)
    yield from _strange_queries(operation, known)
    yield from _strange_headers(operation, known)
    if JSON in operation.content():
        yield from _strange_json(operation, known)
    if MULTIPART in operation.content():
        yield from _strange_forms(operation, known)
    if not operation.content():
        yield replace(
            plain(operation, known), what="a body that nobody asked for", headers=KINDS["JSON"], body=b"[" * 9
        )


def plain(operation: Operation, known: Mapping[str, str]) -> Call:
    """A call without a fault."""
    call = operation.call("plain", known)
    if JSON in operation.content():
        return replace(call, headers=KINDS["JSON"], body=json.dumps(operation.example()).encode())
    return call


def _strange_paths(operation: Operation, known: Mapping[str, str]) -> Iterator[Call]:
    for parameter in operation.parameters("path"):
        for what, value in (TEXTS | NUMBERS).items():
            others = {**known, parameter["name"]: _HERE}
            call = plain(operation, others)
            target = call.target.replace(quote(_HERE, safe="").encode(), value)
            yield replace(call, what=f"{parameter['name']} is {what}", target=target)


def _strange_queries(operation: Operation, known: Mapping[str, str]) -> Iterator[Call]:
    for parameter in operation.parameters("query"):
        name, about = parameter["name"], json.dumps(parameter)
        values = TEXTS | (NUMBERS if "string" not in about or "integer" in about else {})
        if '"date' in about or "RFC 3339" in about:
            values |= TIMES
        for what, escaped in values.items():
            yield operation.call(f"{name} is {what}", known, **{name: escaped})
        yield operation.call(f"{name} comes twice", known, **{name: b"a&" + name.encode() + b"=b"})


def _strange_headers(operation: Operation, known: Mapping[str, str]) -> Iterator[Call]:
    call = plain(operation, known)
    for parameter in operation.parameters("header"):
        name = parameter["name"].encode()
        for what, value in HEADERS.items():
            yield replace(call, what=f"{parameter['name']} is {what}", headers=(*call.headers, (name, value)))


def _strange_json(operation: Operation, known: Mapping[str, str]) -> Iterator[Call]:
    call = plain(operation, known)
    for what, body in WHOLE_BODIES.items():
        yield replace(call, what=f"the body is {what}", body=body)
    for what, headers in KINDS.items():
        yield replace(call, what=f"the body comes as {what}", headers=headers)
    for what, (kind, body) in FORMS.items():
        yield replace(call, what=f"a form, {what}", headers=((b"content-type", kind),), body=body)
    for media in operation.content():
        deep = b"\n".join([call.body, b"[" * 30_000, b'{"a":' * 9_000])
        yield replace(call, what=f"lines of {media}", headers=((b"content-type", media.encode()),), body=deep)
    for where, template in _templates(operation):
        for what, literal in LITERALS.items():
            yield replace(call, what=f"{where} is {what}", body=template.replace(b'"' + _HERE.encode() + b'"', literal))


def _templates(operation: Operation) -> Iterator[tuple[str, bytes]]:
    """The example as JSON, each time with a placeholder for another of its members, or for one that it leaves out."""
    example = operation.example()
    for where, marked in _marked(example):
        yield where, json.dumps(marked).encode()
    if isinstance(example, dict):
        members: Schema = operation.schema(operation.content()[JSON]["schema"]).get("properties", {})
        for name in members.keys() - example.keys():
            yield name, json.dumps({**example, name: _HERE}).encode()
        yield "a name", json.dumps({**example, _HERE: 1}).encode()


def _marked(value: Any, depth: int = 4) -> Iterator[tuple[str, Any]]:
    """The value, each time with a placeholder for one member within."""
    members = list(value.items()) if isinstance(value, dict) else []
    items = list(enumerate(value[:1])) if isinstance(value, list) else []
    for name, member in [*members, *items]:
        for where, marked in [("", _HERE), *(_marked(member, depth - 1) if depth else [])]:
            copy = {**value, name: marked} if isinstance(value, dict) else [marked, *value[1:]]
            yield f"{name}{'.' if where else ''}{where}", copy


def _strange_forms(operation: Operation, known: Mapping[str, str]) -> Iterator[Call]:
    call = operation.call("", known)
    kind = (b"content-type", b"multipart/form-data; boundary=here")
    fields = operation.schema(operation.content()[MULTIPART]["schema"])["properties"]
    good = {"file": b"account_id,score\nacme,9\n", "kind": b"responses"}
    for name in fields:
        for what, value in (_raw(TEXTS) | _raw(TIMES) | {"deep JSON": b"[" * 9_000}).items():
            yield replace(call, what=f"{name} is {what}", headers=(kind,), body=_multipart(good | {name: value}))
    for what, headers in KINDS.items():
        yield replace(call, what=f"the form comes as {what}", headers=headers, body=_multipart(good))
    for what, (other, body) in FORMS.items():
        yield replace(call, what=f"a form, {what}", headers=((b"content-type", other),), body=body)


def _raw(texts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Texts without their escapes."""
    from urllib.parse import unquote_to_bytes

    return {what: unquote_to_bytes(value) for what, value in texts.items()}


def _multipart(fields: Mapping[str, bytes]) -> bytes:
    parts = [
        b'--here\r\ncontent-disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (name.encode(), b'; filename="a.csv"' if name == "file" else b"", value)
        for name, value in fields.items()
    ]
    return b"".join([*parts, b"--here--\r\n"])


def _known(parameter: Schema, known: Mapping[str, str]) -> str:
    if parameter["name"] in known:
        return known[parameter["name"]]
    return _NOBODY if "uuid" in json.dumps(parameter) else "acme"
