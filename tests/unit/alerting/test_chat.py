"""What chat rooms read of a message, and what they cannot be made to read."""

import json
from dataclasses import replace
from typing import Any

import pytest

from services.alerting.courier.domain.chat import MAX_QUOTE, chat_message_of, rendered
from services.alerting.courier.domain.messages import MESSAGE_TYPES
from services.alerting.domain.payloads import Links, MessageSubject, PayloadSettings, payload
from services.alerting.domain.people import Answer
from services.alerting.outbound.domain.chat import slack, teams
from tests.unit.alerting.builders import ACME, JANE, MONDAY_10, POLICY, opened

CONTEXT = PayloadSettings(POLICY.calendar, Links("https://t.example"))
ANSWER = Answer("acme", "r1", "jane@acme.example", "nps", 2, MONDAY_10, comment="Late again")
NASTY = "<!channel> <https://evil.example|click> [click](https://evil.example) **bold** & more"


def message(kind: str = "follow_up.opened", **data: Any) -> dict[str, Any]:
    said = payload(CONTEXT, MessageSubject(ACME, JANE, ANSWER, opened())) | data
    return {"type": kind, "timestamp": "2026-06-08T10:00:00Z", "data": said, "sequence": 1}


def texts(block: Any) -> list[str]:
    """Every text in a block, however deep."""
    if isinstance(block, dict):
        own = block.get("text")
        inner = [text for each in block.values() for text in texts(each)]
        return [own, *inner] if isinstance(own, str) else inner
    return [text for each in block for text in texts(each)] if isinstance(block, list) else []


def test_a_follow_up_says_who_is_unhappy_what_was_said_and_where_to_look() -> None:
    chat_message = chat_message_of(message())
    assert chat_message.title.startswith("New follow-up: ")
    assert dict(chat_message.facts) | {"Account": "Acme", "Person": "Jane Doe", "Score": "2 (detractor)"} == dict(
        chat_message.facts
    )
    assert dict(chat_message.facts)["Owner"] == "Olivia Owner"
    assert chat_message.quote == "Late again"
    assert chat_message.link is not None
    assert chat_message.link.startswith("https://t.example/follow-ups/")


@pytest.mark.parametrize("kind", [*MESSAGE_TYPES, "webhook.test"])
@pytest.mark.parametrize("data", [{}, {"account": {"account_id": "acme"}, "truncated": True}], ids=["none", "ids"])
def test_every_type_makes_a_message_also_when_little_is_left(kind: str, data: dict[str, Any]) -> None:
    chat_message = chat_message_of({"type": kind, "timestamp": "", "data": data, "sequence": None})
    assert chat_message.title
    assert slack(chat_message)["blocks"][0]["text"]["text"] == chat_message.title
    assert teams(chat_message)["attachments"][0]["content"]["body"][0]["inlines"][0]["text"] == chat_message.title


@pytest.mark.parametrize(
    ("kind", "data", "title"),
    [
        ("stakeholder.category_changed", {"change": {"from": "promoter", "to": "passive"}}, "promoter to passive"),
        ("account_score.dropped", {"change": {"previous_nps": 40, "nps": 10}}, "NPS fell from 40 to 10"),
        ("survey_response.created", {}, "Jane Doe of Acme answered 2"),
    ],
)
def test_titles_name_what_happened(kind: str, data: dict[str, Any], title: str) -> None:
    assert title in chat_message_of(message(kind, **data)).title


def test_words_of_customers_are_never_markup() -> None:
    said = payload(CONTEXT, MessageSubject(replace(ACME, name=NASTY), JANE, replace(ANSWER, comment=NASTY), opened()))
    chat_message = chat_message_of({"type": "account_score.changed", "timestamp": "", "data": said, "sequence": 1})
    block = slack(chat_message)
    assert "<" not in block["text"]
    assert {part["type"] for part in found(block["blocks"], "text")} == {"plain_text"}
    card = teams(chat_message)["attachments"][0]["content"]
    assert {part["type"] for part in found(card["body"], "text")} == {"TextRun"}
    assert f"“{NASTY}”" in texts(card)


def found(block: Any, name: str) -> list[dict[str, Any]]:
    """The innermost objects with a text of this name."""
    if isinstance(block, dict):
        inner = [part for each in block.values() for part in found(each, name)]
        return inner + [block] * isinstance(block.get(name), str)
    return [part for each in block for part in found(each, name)] if isinstance(block, list) else []


def test_long_comments_stay_within_the_limits_of_the_rooms() -> None:
    chat_message = chat_message_of(message(response={"comment": "c" * 8_000, "score": 2, "category": "detractor"}))
    assert chat_message.quote is not None
    assert (len(chat_message.quote), chat_message.quote[-1]) == (MAX_QUOTE, "…")
    assert all(len(text) <= 3_000 for text in texts(slack(chat_message)))
    assert len(json.dumps(teams(chat_message))) < 28_000


def test_the_plain_format_is_the_message_to_the_byte() -> None:
    body = b'{"z":1, "a":2}'
    assert rendered("json", body) is body
