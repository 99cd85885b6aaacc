"""The words for files that people bring."""

import pytest

from services.collector.domain.columns import SYNONYMS
from services.collector.domain.format_table import FORMATS
from services.dashboard.domain import bringing

AS_JSON = {"answers", "attributes"}
"""Fields of our own exports alone."""


@pytest.mark.parametrize("kind", bringing.KINDS)
def test_every_field_of_the_collector_can_be_chosen_once(kind: str) -> None:
    offered = [*bringing.NEEDED[kind], *bringing.FURTHER[kind]]
    assert sorted(offered) == sorted(set(SYNONYMS[kind]) - AS_JSON)


def test_every_tool_has_a_name_that_people_know() -> None:
    for name in FORMATS:
        shown = bringing.FORMAT_NAMES.get(name, name.capitalize())
        assert "_" not in shown


@pytest.mark.parametrize(
    ("samples", "orders"),
    [
        (["2026-03-31"], {}),
        ([""], {}),
        (["03/04/2026"], {"DD/MM/YYYY": "3 April 2026", "MM/DD/YYYY": "4 March 2026"}),
        (["31.3.26 08:15"], {"DD.MM.YY HH:MM": "31 March 2026"}),
        (
            ["", "11/03/2026 09:12:30 AM"],
            {"DD/MM/YYYY HH:MM:SS AM/PM": "11 March 2026", "MM/DD/YYYY HH:MM:SS AM/PM": "3 November 2026"},
        ),
        (["99-99-2026"], {}),
    ],
)
def test_the_orders_in_which_a_date_can_be_read_are_told_by_what_it_would_be(
    samples: list[str], orders: dict[str, str]
) -> None:
    found = bringing.date_orders(samples)
    assert {form: words.partition(" is ")[2] for form, words in found.items()} == orders


def test_a_field_without_a_name_of_its_own_is_named_by_its_id() -> None:
    assert bringing.field_name("job_title") == "Job title"
    assert bringing.field_name("attributes.office_floor") == "Office floor"


def test_sizes_are_in_megabytes() -> None:
    assert bringing.size(512 * 1024 * 1024) == "512 MB"
