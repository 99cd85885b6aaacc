"""The words that are shipped: one file a language, so that a translator reads nothing else, and drafts of others."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from services.outreach.domain.languages import DRAFTED
from services.outreach.domain.surveys import QuestionTexts, Texts


@cache
def shipped(name: str) -> Any:
    """A file of `texts`: a complete language, `drafts` or `presets`. It is shared, so nobody changes it."""
    return json.loads(files(__package__).joinpath("texts", f"{name}.json").read_text(encoding="utf-8"))


def draft_texts(language: str) -> Texts:
    """The NPS question and its ends in one of `DRAFTED`, which nobody has reviewed; all other words are to be written.
    Raises KeyError for another language."""
    if language not in DRAFTED:
        raise KeyError(language)
    draft = shipped("drafts")[language]
    score = QuestionTexts(draft["text"], draft["low"], draft["high"])
    return Texts(score=score, fallbacks={"us": draft["us"]})


def ours(language: str) -> tuple[str, ...]:
    """Which parts of a draft (text, low, high) are our own wording; the others were found in public surveys."""
    return tuple(shipped("drafts")[language]["ours"])
