"""Full-text search over comments: what it finds, and that it needs not read every comment."""

from datetime import timedelta

import pytest

from tests.integration.scorer.reading import NOW, Reader
from tests.support.reference.world import Submission, World

COMMENTS = (
    "Two late deliveries, and nobody called.",
    "Nobody ever delivers late here!",
    "LATE again",
    "Zu spät geliefert",
    None,
    "",
    "100% _great_",
)


@pytest.fixture(autouse=True)
async def world(reader: Reader) -> None:
    """One response for each comment."""
    await reader.put(
        World(
            submissions=tuple(
                Submission(f"r{number}", "acme", "ada", "nps", 5, NOW - timedelta(days=number), comment=comment)
                for number, comment in enumerate(COMMENTS)
            )
        )
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("late", [0, 1, 2]),
        ("late nobody", [0, 1]),
        ('"late deliveries"', [0]),
        ("late -nobody", [2]),
        ("again or spät", [2, 3]),
        ("-late", [3, 5, 6]),
        ("deliver", []),
        ("%", []),
        ("'); drop table responses; --", []),
    ],
)
async def test_words_phrases_and_exclusions_are_found(reader: Reader, words: str, found: list[int]) -> None:
    items = await reader.items("/v1/responses", q=words)
    assert [item["response_id"] for item in items] == [f"r{number}" for number in found]


async def test_the_index_serves_the_search(reader: Reader) -> None:
    await reader.tables.execute("set enable_seqscan = off")
    try:
        plan = await reader.tables.fetch(
            "explain select response_id from responses r where r.comment is not null"
            " and to_tsvector('simple', r.comment) @@ websearch_to_tsquery('simple', 'late')"
        )
    finally:
        await reader.tables.execute("reset enable_seqscan")
    assert any("responses_comment" in line[0] for line in plan)
