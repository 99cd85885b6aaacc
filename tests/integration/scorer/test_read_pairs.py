"""What is read from snapshots and from the last answers of people equals what is counted from all answers: people,
coverage, drivers, the funnel; projected, half projected, or not at all."""

from random import Random
from typing import Any

from hypothesis import given

from tests.integration.scorer.reading import Reader
from tests.integration.scorer.worlds import CHOICES, WINDOWS, a_world, begin, disturb, exactly, seeds
from tests.integration.scorer.writing import Writer

OF_ACCOUNTS = ("industry", "tier", "region", "owner")


def some(random: Random, *names: str) -> dict[str, str]:
    """Filters by up to two of these attributes."""
    return {name: random.choice(CHOICES[name]) for name in random.sample(names, random.choice((0, 0, 1, 2)))}


async def assert_both_ways(reader: Reader, path: str, **asked: Any) -> None:
    """The answer as of now is the one as of the same moment named."""
    counted = await reader.body(path, **asked, as_of=reader.clock.now())
    counted.pop("as_of", None)
    assert await reader.body(path, **asked) == counted


@exactly
@given(seed=seeds)
async def test_what_the_last_answers_tell_equals_what_all_answers_tell(reader: Reader, rows: Writer, seed: int) -> None:
    random = Random(seed)
    world = a_world(random)
    await begin(reader, rows, world)
    if random.random() < 0.5:
        await disturb(reader, random, world)
    window = random.choice(WINDOWS)
    by = ",".join(random.sample((*OF_ACCOUNTS, "class"), random.randrange(3))) or None
    await assert_both_ways(reader, "/v1/portfolio/coverage", window=window, **some(random, *OF_ACCOUNTS))
    await assert_both_ways(reader, "/v1/portfolio/funnel", window=window, group_by=by, **some(random, *OF_ACCOUNTS))
    of_answers = some(random, *OF_ACCOUNTS, "stakeholder_type", "nps_kind", "touchpoint")
    await assert_both_ways(reader, "/v1/drivers", window=window, group_by=by, **of_answers)
    people = {
        "category": random.choice((None, "detractor", "promoter")),
        "silent": random.choice((None, None, True)),
        "sort": random.choice(("name", "score", "-answered_at")),
        "limit": 200,
    }
    await assert_both_ways(reader, "/v1/stakeholders", **people, **some(random, *OF_ACCOUNTS))


async def test_the_pairs_of_people_are_really_used(reader: Reader, rows: Writer) -> None:
    await begin(reader, rows, a_world(Random(3)))
    before = await reader.body("/v1/portfolio/coverage", window="7d")
    await reader.tables.execute("update latest_pairs set score = 0, previous_score = 0")
    assert (await reader.body("/v1/portfolio/coverage", window="7d"))["selection"] != before["selection"]
