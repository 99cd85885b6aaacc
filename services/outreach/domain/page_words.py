"""The fixed words of the pages on which people answer, object and read a review; what a survey says is in its texts."""

from dataclasses import dataclass
from datetime import date
from functools import cache

from services.outreach.domain.languages import direction, page_language
from services.outreach.domain.placeholders import filled
from services.outreach.domain.shipped import shipped


@dataclass(frozen=True, slots=True)
class PageWords:
    """Words in one language. `language` and `direction` go to the parts that hold them where the survey itself has
    another language."""

    language: str

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return direction(self.language)

    def say(self, name: str, **values: str) -> str:
        """The words of this name with their values. Raises KeyError for a name that does not exist."""
        text: str = shipped(self.language)["page"][name]
        return filled(text, values, {})

    def problem(self, code: str) -> str:
        """What to say beside a field, by the code of its problem."""
        return self.say(f"error_{code}")

    def day(self, day: date) -> str:
        """A date in words, such as 3 March 2027."""
        page = shipped(self.language)["page"]
        values = {"day": str(day.day), "month": page["months"][day.month - 1], "year": str(day.year)}
        return filled(page["date"], values, {})


@cache
def page_words(language: str) -> PageWords:
    """The words for a survey in this language; English where there are none."""
    return PageWords(page_language(language))
