"""Pages as HTML."""

import gc
from datetime import UTC, datetime

import pytest

from services.outreach.domain.surveys import Category
from services.outreach.web.preview import preview
from tests.support.respondents import relationship

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("category", [None, "promoter"])
def test_a_page_leaves_nothing_to_the_garbage_collector(category: Category | None) -> None:
    """It would stop all pages for a tenth of a second every few thousand."""
    preview(relationship(), "en", category, None, NOW)
    gc.collect()
    gc.disable()
    try:
        preview(relationship(), "en", category, None, NOW)
        assert gc.collect() == 0
    finally:
        gc.enable()
