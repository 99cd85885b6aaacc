"""Batches: the id in the answer for a refused item."""

from typing import Any

import pytest

from services.collector.api.batches import sent_id
from shared.errors import BadRequest


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ({"response_id": "r1", "score": 11}, "r1"),
        ({"response_id": " cafe\u0301 "}, "café"),
        ({"score": 11}, None),
        ({"response_id": 7}, None),
        ({"response_id": "../etc"}, None),
        ({"response_id": "x" * 201}, None),
        ({"response_id": "\ud800"}, None),
        (["r1"], None),
        (BadRequest("malformed_json"), None),
    ],
)
def test_a_refused_item_is_told_by_the_id_it_came_with_if_that_is_one(item: Any, told: str | None) -> None:
    assert sent_id(item, "response_id") == told
