"""Category changes and falls: two consecutive live NPS answers of one person, of the same nps_kind."""

from collections.abc import Sequence

from services.scorer.domain.categories import CATEGORIES, Category, category_of


def change_kind(previous: Category | None, now: Category) -> str | None:
    """The name of the change; `new_…` for a first answer, None when the category stayed."""
    if previous is None:
        return f"new_{now}"
    if previous == now:
        return None
    return f"{previous}_to_{now}"


def change_between_scores(previous: int | None, now: int) -> str | None:
    """`change_kind` of two NPS scores; `previous` is None for a first answer."""
    if previous is None:
        return change_kind(None, category_of(now))
    return change_kind(category_of(previous), category_of(now))


def categories_of(kind: str) -> tuple[Category | None, Category]:
    """(from, to) of a change kind. Raises KeyError for a name that is none."""
    return _PARTS[kind]


def falls_in_a_row(scores: Sequence[int]) -> int:
    """How often in a row, up to the last answer, each score was below the one before; oldest first."""
    falls = 0
    for earlier, later in zip(reversed(scores[:-1]), reversed(scores), strict=False):
        if later >= earlier:
            break
        falls += 1
    return falls


_PARTS: dict[str, tuple[Category | None, Category]] = {
    kind: (previous, now)
    for previous in (None, *CATEGORIES)
    for now in CATEGORIES
    if (kind := change_kind(previous, now)) is not None
}
