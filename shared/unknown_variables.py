"""Variables of the environment that look like settings and are none."""

import difflib
import os
from collections.abc import Iterable, Mapping

from shared.settings import PREFIX, Settings

TEST_PREFIX = "TELLBACK_TEST_"


def unknown_variables(
    classes: Iterable[type[Settings]], environment: Mapping[str, str] | None = None
) -> list[tuple[str, str | None]]:
    """`TELLBACK_*` variables that no class knows, each with the known name most similar to it. To be warned of: a
    misspelt setting silently leaves the default. The tests' own (`TELLBACK_TEST_*`) are left out."""
    known = {name for settings in classes for choices in settings.names().values() for name in choices}
    known |= {f"{name}_FILE" for name in known}
    strangers = sorted(
        name
        for name in (os.environ if environment is None else environment)
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in known
    )
    return [(name, next(iter(difflib.get_close_matches(name, known, n=1)), None)) for name in strangers]
