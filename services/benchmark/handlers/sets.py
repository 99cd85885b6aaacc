"""Loads benchmark sets: each becomes a version of its series, and nothing that stood is touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.benchmark.domain.benchmarks import IndustryFigure, NewSet
from services.benchmark.store.benchmarks import StoredSet, add_set, figures_of, newest_version, set_by_id
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import NotFound
from shared.industries import NAMES


@dataclass(frozen=True, slots=True)
class LoadedSet:
    """A set with its lines; `new` is False where the newest version of its series said the same already."""

    stored: StoredSet
    figures: Sequence[IndustryFigure]
    new: bool = False

    @property
    def unknown_industries(self) -> list[str]:
        """Industries that are not on our list: kept and found by the name they came with."""
        return [figure.industry for figure in self.figures if figure.industry not in NAMES]


async def load_sets(tx: WriteTx, wanted: Sequence[NewSet], loaded_by: str, now: datetime) -> list[LoadedSet]:
    """Store each set unless its newest version is the same."""
    return [await _load(tx, new, loaded_by, now) for new in wanted]


async def _load(tx: WriteTx, new: NewSet, loaded_by: str, now: datetime) -> LoadedSet:
    version, digest = await newest_version(tx, new.series)
    fresh = digest != new.digest
    if fresh:
        version += 1
        await add_set(tx, new, version, loaded_by, now)
    loaded = await find_set(tx, new.set_id(version))
    return LoadedSet(loaded.stored, loaded.figures, fresh)


async def find_set(tx: ReadTx, set_id: str) -> LoadedSet:
    """A set with its lines. Raises NotFound."""
    stored = await set_by_id(tx, set_id)
    if stored is None:
        raise NotFound("unknown_set", "there is no such benchmark set")
    return LoadedSet(stored, await figures_of(tx, set_id))
