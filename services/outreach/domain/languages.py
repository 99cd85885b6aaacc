"""Languages of surveys and pages: their tags, their direction, and which words stand in for missing ones."""

import re
from typing import Final

COMPLETE: Final = ("en", "de", "fr", "es")
"""Languages with all words of the page and of the shipped surveys."""
DRAFTED: Final = ("it", "nl", "pt-PT", "pt-BR", "pl", "sv", "da", "fi", "nb", "cs", "ja", "zh", "ar")
"""Languages with a draft of the NPS question and its ends."""
RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})
_TAG = re.compile(r"[a-z]{2,3}(?:-(?:[A-Z]{2}|[A-Z][a-z]{3}))?")


def is_language(text: str) -> bool:
    """Whether this is a tag such as `de`, `pt-BR` or `zh-Hant`."""
    return _TAG.fullmatch(text) is not None


def base_of(language: str) -> str:
    """`pt` of `pt-BR`."""
    return language.partition("-")[0]


def direction(language: str) -> str:
    """`ltr` or `rtl`, for the attribute `dir`."""
    if base_of(language) in RIGHT_TO_LEFT:
        return "rtl"
    return "ltr"


def page_language(language: str) -> str:
    """The language of the page's fixed words for a survey in this language: the `lang` of those parts."""
    if base_of(language) in COMPLETE:
        return base_of(language)
    return "en"
