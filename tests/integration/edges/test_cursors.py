"""Cursors of every list of every service, altered and forged: refused, or another place of the list, and no failure."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.http.paging import _check, encode_cursor
from tests.integration.edges.house import House, fault_of, sent
from tests.support.http import bearer
from tests.support.installation import SERVICES
from tests.support.raw_calls import Wire, wired
from tests.support.strange import Call, Operation
from tests.support.strange_values import CURSOR_CONTENTS, CURSOR_VALUES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PARKED = [datetime(2026, 3, 1, tzinfo=UTC), "00000000-0000-4000-8000-000000000000"]
NOTHING_THERE = {
    "/v1/dead-letters": encode_cursor(PARKED, "dead_letter"),
    "/v1/conflicts": encode_cursor(PARKED, "conflict"),
    "/v1/outgoing": encode_cursor([0], "outgoing stuck"),
}
"""Lists that had better be empty, with a cursor that they would take."""


@pytest.mark.parametrize("service", SERVICES)
async def test_no_cursor_is_a_failure_of_ours(house: House, service: str) -> None:
    altered: list[Call] = []
    forged: list[Call] = []
    async with wired(house.installation.url(service), bearer(house.installation.key), 4) as wires:
        for operation in lists_of(house, service):
            for sort in await sorts_of(wires[0], operation, house):
                cursor = await cursor_of(wires[0], operation, house, sort)
                asked = sort | {"limit": b"1"}
                altered += [
                    operation.call(what, house.known, **asked, cursor=made) for what, made in altered_from(cursor)
                ]
                forged += [
                    operation.call(what, house.known, **asked, cursor=made) for what, made in forged_from(cursor)
                ]
        refused = await sent(wires, altered)
        answered = await sent(wires, forged)
    assert [f"{call}: {answer.status}" for call, answer in refused if b"invalid_cursor" not in answer.body] == []
    assert {answer.status for _, answer in refused} == {422}
    assert [f"{call}: {fault}" for call, answer in answered if (fault := fault_of(answer))] == []
    assert {answer.status for _, answer in answered} <= {200, 422}


def lists_of(house: House, service: str) -> list[Operation]:
    """What takes a cursor."""
    found = []
    for operation in house.operations[service]:
        names = {parameter["name"] for parameter in operation.parameters("query")}
        if "cursor" in names:
            found.append(operation)
    return found


async def sorts_of(wire: Wire, operation: Operation, house: House) -> list[dict[str, bytes]]:
    """The query of every order that the list has, as its refusal of another one tells; one without where it has one."""
    if "sort" not in {parameter["name"] for parameter in operation.parameters("query")}:
        return [{}]
    refused = await wire.send(operation.call("", house.known, sort=b"nothing"))
    told = re.search(r"must be one of ([a-z_, ]+), with -", refused.body.decode())
    assert told, refused.body
    return [{"sort": sign + name.encode()} for name in told[1].split(", ") for sign in (b"", b"-")]


async def cursor_of(wire: Wire, operation: Operation, house: House, sort: dict[str, bytes]) -> str:
    """A cursor that the list gives."""
    answer = await wire.send(operation.call("", house.known, limit=b"1", **sort))
    assert answer.status == 200, answer.body
    cursor = answer.json()["next_cursor"] or NOTHING_THERE.get(operation.path)
    assert isinstance(cursor, str), f"{operation.path} {sort} has one page only: the house needs more of it"
    return cursor


def altered_from(cursor: str) -> Iterator[tuple[str, bytes]]:
    """The cursor, not as it was given out, and those of another list."""
    for at in range(0, len(cursor) - 1, 9):
        yield f"letter {at} altered", f"{cursor[:at]}{'A' if cursor[at] != 'A' else 'B'}{cursor[at + 1 :]}".encode()
    yield "cut short", cursor[:-4].encode()
    yield "twice", (cursor + cursor).encode()
    yield "made up", b"abc"
    yield "no letters of a cursor", b"%E2%82%AC!%FF"
    yield "of another list", encode_cursor(values_of(cursor)[1:], "another list").encode()


def forged_from(cursor: str) -> Iterator[tuple[str, bytes]]:
    """The cursor with its check sum right and its content wrong."""
    purpose, *values = values_of(cursor)
    for at in range(len(values)):
        for value in CURSOR_VALUES:
            forged = [*values[:at], value, *values[at + 1 :]]
            yield f"value {at} is {value!r:.40}", sealed(json.dumps([purpose, *forged]).encode())
    for content in CURSOR_CONTENTS:
        yield f"content {content!r:.40}", sealed(content)
        yield f"a value {content!r:.40}", sealed(b'["%s",%s]' % (purpose.encode(), content))
    yield "a value less", encode_cursor(values[:-1], purpose).encode()
    yield "a value more", encode_cursor([*values, 1], purpose).encode()


def values_of(cursor: str) -> list[Any]:
    """The purpose and the values within."""
    found: list[Any] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[9:])
    return found


def sealed(content: bytes) -> bytes:
    """A cursor with this content."""
    return base64.urlsafe_b64encode(_check(content) + content).rstrip(b"=")
