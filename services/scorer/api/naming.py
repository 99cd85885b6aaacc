"""The keys that name what a figure is a figure of."""

from datetime import datetime
from typing import Any

from services.scorer.api.parameters import ScoreQuery


def named(figures: dict[str, Any], **names: Any) -> dict[str, Any]:
    """Figures with what they are figures of in front; what is None is left out."""
    return {name: value for name, value in names.items() if value is not None} | figures


def figure_names(asked: ScoreQuery) -> dict[str, Any]:
    """The keys that name what a figure is a figure of, besides the account."""
    return {
        "window": asked.window,
        "method": asked.method,
        "survey_type": asked.survey_type,
        "as_of": asked.as_of,
    }


def bucket_names(start: datetime, end: datetime, method: str) -> dict[str, Any]:
    """The keys that name a point."""
    return {"from": start, "to": end, "method": method}
