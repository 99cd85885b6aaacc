"""In which language a page speaks to somebody whose language nobody knows, and what languages call themselves."""

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.requests import Request

from services.outreach.domain.languages import COMPLETE, base_of

NAMES: Final[Mapping[str, str]] = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "it": "Italiano",
    "nl": "Nederlands",
    "pt-PT": "Português",
    "pt-BR": "Português (Brasil)",
    "pl": "Polski",
    "sv": "Svenska",
    "da": "Dansk",
    "fi": "Suomi",
    "nb": "Norsk",
    "cs": "Čeština",
    "ja": "日本語",
    "zh": "中文",
    "ar": "العربية",
}
"""Languages by their own names."""
_ACCEPTED: Final = 10
"""Languages of a browser that are looked at."""


def name_of(language: str) -> str:
    """A language by its own name, else its tag."""
    return NAMES.get(language, NAMES.get(base_of(language), language))


def language_of(request: Request, posted: str = "") -> str:
    """The language of a page that belongs to nobody: that of the form or the address, else the browser's."""
    wanted = [posted, request.query_params.get("lang", ""), *accepted(request.headers.get("accept-language", ""))]
    return _first_complete(wanted)


def accepted(header: str) -> list[str]:
    """The languages of an `Accept-Language`, the preferred first."""
    found: list[tuple[float, str]] = []
    for item in header.split(",")[:_ACCEPTED]:
        tag, _, weight = item.strip().partition(";q=")
        try:
            found.append((-float(weight or 1), tag))
        except ValueError:
            continue
    found.sort(key=_weight)
    return [tag for _, tag in found]


def _weight(item: tuple[float, str]) -> float:
    return item[0]


def _first_complete(wanted: Iterable[str]) -> str:
    for language in wanted:
        if base_of(language).lower() in COMPLETE:
            return base_of(language).lower()
    return COMPLETE[0]
