"""Random calls: valid and malformed ones, on every route."""

import json
import random
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from shared.http.problem import MEDIA_TYPE
from tests.chaos.parts import passing
from tests.support.raw_calls import Answer, Wire
from tests.support.strange import Call, Operation, plain, strange_calls
from tests.support.strange_pages import ADDRESSES, FORM_ROUTES, Visit, strange_addresses, strange_forms

KEPT = 200
"""How many ids of each kind are remembered; the newest are kept."""
HALF = 0.5
PAUSE = 0.1
"""Seconds to wait after a kill has cut a call off."""
IDS = ("account_id", "stakeholder_id", "response_id", "follow_up_id", "event_id", "receipt_id", "import_id", "rule_id")
OWNERS = {
    "/v1/webhook-endpoints": "endpoint_id",
    "/v1/webhook-endpoints/{endpoint_id}/deliveries": "delivery_id",
    "/v1/dead-letters": "parked_id",
    "/v1/conflicts": "parked_id",
    "/v1/notifications": "notification_id",
    "/v1/benchmarks/sets": "set_id",
}
"""Resources whose `id` has this name in the paths of others."""


class Source(Protocol):
    """A source of calls."""

    def call(self) -> Call:
        """The next call."""
        ...

    def learn(self, call: Call, answer: Answer) -> str | None:
        """Remember the ids in an answer; returns what is wrong with it."""
        ...


@dataclass
class Known:
    """Ids from answers, so that later calls concern existing resources."""

    dice: random.Random
    ids: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=KEPT)))

    def any(self) -> dict[str, str]:
        """A random id of each kind."""
        found = {name: self.dice.choice(values) for name, values in list(self.ids.items())}
        return found | ({"rule": found["rule_id"]} if "rule_id" in found else {})

    def learn(self, path: str, value: Any) -> None:
        """Remember the ids in a body that came from this path."""
        for name, member in _members(value):
            known_as = OWNERS.get(path, name) if name == "id" else name
            if known_as in IDS or known_as in OWNERS.values():
                self.ids[known_as].append(member)


@dataclass
class Api:
    """Calls of one service: half of them valid by its OpenAPI document, half with one fault."""

    operations: list[Operation]
    known: Known
    _paths: dict[bytes, str] = field(default_factory=dict)

    def call(self) -> Call:
        """A random operation, about existing resources."""
        dice = self.known.dice
        operation, known = dice.choice(self.operations), self.known.any()
        if dice.random() < HALF:
            call = self._sensible(operation, known)
        else:
            call = dice.choice(list(strange_calls(operation, known)))
        self._paths[call.target] = operation.path
        return call

    def _sensible(self, operation: Operation, known: dict[str, str]) -> Call:
        call = plain(operation, known)
        if call.body:
            return replace(call, body=json.dumps(_varied(json.loads(call.body), known, self.known.dice)).encode())
        query = {"limit": b"3"} if "limit" in {parameter["name"] for parameter in operation.parameters("query")} else {}
        return operation.call("plain", known, **query)

    def learn(self, call: Call, answer: Answer) -> str | None:
        """Remember the ids of an answer; its status must be one of the API's."""
        path = self._paths.pop(call.target, "")
        if answer.status in (200, 201, 202) and answer.kind == "application/json":
            self.known.learn(path, answer.json())
        return fault_of(answer, MEDIA_TYPE if answer.status >= 400 else None)


@dataclass
class Pages:
    """Requests for pages of the dashboard and posts of its forms."""

    visit: Visit
    known: Known

    def call(self) -> Call:
        """A random page or form, with one fault."""
        dice = self.known.dice
        if dice.random() < HALF:
            return dice.choice(strange_forms(dice.choice(FORM_ROUTES), self.visit))
        return dice.choice(strange_addresses(dice.choice(ADDRESSES), self.known.any(), self.visit))

    def learn(self, call: Call, answer: Answer) -> str | None:
        """Nothing to remember; the answer must be one that a browser can show."""
        return fault_of(answer)


def fault_of(answer: Answer, kind: str | None = None) -> str | None:
    """What is wrong with an answer. 503 is right while the service was killed or is starting; it must be a page, a
    problem, or a report of health."""
    if answer.status == 503 and answer.kind in ("text/html", MEDIA_TYPE, "application/json"):
        return None
    if answer.status >= 500:
        return f"{answer.status} {answer.body[:500]!r}"
    if kind is not None and answer.kind != kind:
        return f"{answer.status} as {answer.kind!r}: {answer.body[:500]!r}"
    return None


@dataclass
class Caller:
    """Calls a service continuously and keeps wrong answers."""

    wire: Wire
    source: Source
    until: Callable[[], bool]
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    cut: int = 0

    async def run(self) -> None:
        """Call until stopped; a call that a kill cuts off is no fault."""
        while not self.until():
            call = self.source.call()
            try:
                answer = await self.wire.send(call)
            except (OSError, EOFError):
                self.cut += 1
                await passing(PAUSE)
                continue
            self.statuses[answer.status] += 1
            if fault := self.source.learn(call, answer):
                self.faults.append(f"{time.strftime('%H:%M:%S')} {self.wire.url} {call}: {fault}")


def _members(value: Any) -> Iterator[tuple[str, str]]:
    """Every member with a text, at any depth."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield from ((name, member) for name, member in item.items() if isinstance(member, str))
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def _varied(value: Any, known: dict[str, str], dice: random.Random) -> Any:
    """An example about an existing resource, with another score and maybe a new id."""
    if isinstance(value, list):
        return [_varied(item, known, dice) for item in value]
    if not isinstance(value, dict):
        return value
    copy = {name: _varied(member, known, dice) for name, member in value.items()}
    for name in copy.keys() & known.keys():
        copy[name] = known[name] if dice.random() < HALF else copy[name]
    if "score" in copy:
        copy["score"] = dice.randint(0, 10)
    if {"score", "account_id"} <= copy.keys() and dice.random() < HALF:
        copy["response_id"] = f"storm-{dice.randint(0, 300)}"
    return copy
