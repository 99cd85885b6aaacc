"""Benchmarks and their sets: what is taken and what is given."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Self
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.benchmark.domain.benchmarks import IndustryFigure, NewSet
from services.benchmark.handlers.sets import LoadedSet
from services.benchmark.store.benchmarks import StoredSet
from shared.industries import NAMES, canonical_industry

ONE_LINE = r"^[^\x00-\x1f\x7f]*$"


def _composed(text: str) -> str:
    return normalize("NFC", text)


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=ONE_LINE),
    AfterValidator(_composed),
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=ONE_LINE),
    AfterValidator(_composed),
]
"""Part of a set's id, so not long."""
Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
Points = Annotated[float, Field(strict=True, ge=-100, le=100, allow_inf_nan=False)]
MOST_LINES = 1_000
LINE: dict[str, Any] = {
    "industry": "Freight",
    "nps": 38.0,
    "n": 410,
    "lower_quartile": 21.0,
    "median": 37.0,
    "upper_quartile": 55.0,
    "note": None,
}
NEW_SET: dict[str, Any] = {
    "source": "Deep-Insight",
    "year": 2026,
    "region": "EMEA",
    "method": "latest",
    "note": None,
    "benchmarks": [LINE],
}
SET: dict[str, Any] = {
    "set": "deep-insight-2026-emea",
    "series": "deep-insight-2026-emea",
    "version": 1,
    "source": "Deep-Insight",
    "year": 2026,
    "region": "EMEA",
    "method": "latest",
    "note": None,
    "loaded_at": "2026-11-20T12:00:00Z",
    "in_force": True,
    "industry_count": 1,
}
KEPT: dict[str, Any] = LINE | {"industry": "logistics", "industry_name": "Logistics"}
WITH_LINES: dict[str, Any] = SET | {"benchmarks": [KEPT], "unknown_industries": []}
LOADED: dict[str, Any] = {"sets": [WITH_LINES | {"new": True}], "unknown_industries": []}


class NewLine(BaseModel):
    """What a source says of one industry."""

    model_config = ConfigDict(extra="forbid")

    industry: Line = Field(description="Slug, name or synonym; anything else is kept as it is.")
    nps: Points = Field(description="−100 to 100.")
    n: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = Field(None, description="Answers behind it.")
    lower_quartile: Points | None = Field(None, description="A quarter of the companies is below.")
    median: Points | None = Field(None, description="Half of the companies is below.")
    upper_quartile: Points | None = Field(None, description="A quarter of the companies is above.")
    note: Note | None = None

    @model_validator(mode="after")
    def _quartiles_in_order(self) -> Self:
        known = [
            quartile for quartile in (self.lower_quartile, self.median, self.upper_quartile) if quartile is not None
        ]
        if known != sorted(known):
            raise ValueError("lower_quartile, median and upper_quartile must ascend")
        return self


class NewSetBody(BaseModel):
    """A set to load: figures of one source, year and region."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [NEW_SET]})

    source: Name = Field(description="Who publishes it.")
    year: Annotated[int, Field(strict=True, ge=2000, le=2100)]
    region: Name | None = None
    method: Line | None = Field(
        None, description="How it was computed, such as `latest` or `all`; absent where the source does not say."
    )
    note: Note | None = None
    benchmarks: list[NewLine] = Field(min_length=1, max_length=MOST_LINES)

    @model_validator(mode="after")
    def _each_industry_once(self) -> Self:
        slugs = [canonical_industry(figure.industry) for figure in self.benchmarks]
        if len(set(slugs)) != len(slugs):
            raise ValueError("an industry is there more than once, by its name or a synonym")
        return self

    def value(self) -> NewSet:
        """As the domain has it, with known industries as their slugs."""
        figures = []
        for figure in self.benchmarks:
            industry = canonical_industry(figure.industry)
            figures.append(IndustryFigure(**figure.model_dump() | {"industry": industry}))
        return NewSet(self.source, self.year, self.region, self.method, self.note, tuple(figures))


class SetModel(BaseModel):
    """A set: one version of what a source says of a year and a region."""

    model_config = ConfigDict(json_schema_extra={"example": SET})

    set: str = Field(description="Its id.")
    series: str = Field(description="What all its versions have in common.")
    version: int
    source: str
    year: int
    region: str | None
    method: str | None
    note: str | None
    loaded_at: datetime
    in_force: bool = Field(description="False once a later version of the series is loaded.")
    industry_count: int

    @classmethod
    def fields_of(cls, stored: StoredSet) -> dict[str, Any]:
        """The fields that a stored set gives."""
        fields = asdict(stored)
        return {"set": fields.pop("set_id")} | fields


class SetLine(BaseModel):
    """What a set says of one industry."""

    industry: str
    industry_name: str
    nps: float
    n: int | None
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None
    note: str | None


class SetWithLines(SetModel):
    """A set with all that it says."""

    model_config = ConfigDict(json_schema_extra={"example": WITH_LINES})

    benchmarks: list[SetLine] = Field(description="By industry.")
    unknown_industries: list[str] = Field(description="Not on our list of industries; kept as they came.")

    @classmethod
    def fields_of_loaded(cls, loaded: LoadedSet) -> dict[str, Any]:
        """The fields that a set with its lines gives."""
        lines = []
        for figure in loaded.figures:
            industry_name = NAMES.get(figure.industry, figure.industry)
            lines.append(SetLine(industry_name=industry_name, **asdict(figure)))
        return cls.fields_of(loaded.stored) | {"benchmarks": lines, "unknown_industries": loaded.unknown_industries}


class JustLoadedSet(SetWithLines):
    """A set that was handed in."""

    new: bool = Field(description="False where the newest version of the series says the same: nothing was stored.")


class LoadedSets(BaseModel):
    """What became of the sets."""

    model_config = ConfigDict(json_schema_extra={"example": LOADED})

    sets: list[JustLoadedSet]
    unknown_industries: list[str] = Field(description="Of all sets: not on our list of industries; kept as they came.")
