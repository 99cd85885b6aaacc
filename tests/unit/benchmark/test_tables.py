"""Benchmarks as files."""

import gzip

import pytest

from services.benchmark.api.set_files import EXAMPLE_FILE, lines_in, sets_of
from services.benchmark.domain.tables import BadTable, Line, lines_of
from shared.errors import Invalid
from tests.support.workbooks import workbook


def read(text: str) -> list[Line]:
    return lines_in(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "Industry,Year,NPS,Sample size\nFreight,2026,38,410\n",
        "\ufeffindustry;year;nps;n\r\nFreight;2026;38.0;410\r\n",
        "SECTOR\tyear\tScore\tresponses\n\nFreight\t2026\t+38\t410\n",
    ],
)
def test_the_columns_that_people_use_are_known(text: str) -> None:
    (line,) = read(text)
    assert line.values == {"industry": "Freight", "year": 2026, "nps": 38.0, "n": 410}


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("industry\nx\n", 1, "nps"),
        ("industry,nps,colour\n", 1, "column 3"),
        ("industry,nps,score\n", 1, "nps"),
        ("industry,nps\nlogistics,41\nbpo\n", 3, ""),
        ('industry,nps\nlogistics,"41\n', 2, ""),
        ("industry;nps\nlogistics;4,1\n", 2, "nps"),
        ("industry,nps\nlogistics,nan\n", 2, "nps"),
        ("industry,nps\nlogistics,1e1\n", 2, "nps"),
        ("industry,nps,n\nlogistics,41,1.5\n", 2, "n"),
        ("industry,nps,year\nlogistics,41,'26\n", 2, "year"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, line: int, column: str) -> None:
    with pytest.raises(BadTable) as caught:
        read(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_table_has_a_bound() -> None:
    rows = ((number, ("logistics", "41")) for number in range(2, 10_000))
    with pytest.raises(BadTable, match="split the file"):
        list(lines_of(("industry", "nps"), rows))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("industry;nps;note\nlogistics;41;café\n".encode("cp1252"), id="Windows-1252"),
        pytest.param(gzip.compress(b"industry,nps\nlogistics,41\n"), id="gzip"),
        pytest.param(workbook({"2026": [["industry", "nps"], ["logistics", 41.0]]}), id="workbook"),
    ],
)
def test_a_set_may_come_as_any_file_that_people_have(content: bytes) -> None:
    (loaded,) = sets_of(content, {"source": "S", "year": "2026"})
    assert [(figure.industry, figure.nps) for figure in loaded.figures] == [("logistics", 41.0)]


def test_a_minus_sign_is_a_minus() -> None:
    assert [figure.values["nps"] for figure in read("industry,nps\na,−3.5\nb,-4\n")] == [-3.5, -4.0]


def test_a_file_makes_a_set_for_each_source_year_and_region() -> None:
    text = EXAMPLE_FILE + "Deep-Insight,2025,EMEA,Freight,30,,latest,,,,\nDeep-Insight,2026,EMEA,IT,12,,latest,,,,\n"
    sets = sets_of(text.encode(), {})
    assert [(found.series, [figure.industry for figure in found.figures]) for found in sets] == [
        ("deep-insight-2026-emea", ["logistics", "it_services"]),
        ("deep-insight-2025-emea", ["logistics"]),
    ]
    assert (sets[0].figures[0].lower_quartile, sets[0].figures[0].upper_quartile) == (21.0, 55.0)


def test_what_the_file_does_not_say_is_given_beside_it() -> None:
    (loaded,) = sets_of(b"industry,nps\nlogistics,41\n", {"source": "S", "year": "2026"})
    assert (loaded.source, loaded.year, loaded.region) == ("S", 2026, None)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"industry,nps\n", "file"),
        (b"", "file"),
        (b"PK\x03\x04", "file"),
        (b"\xff\xfe", "file"),
        (b"industry,nps\nlogistics,141\n", "line 2.nps"),
        (b"industry,nps,q1,q3\nlogistics,41,30,50\nbpo,1,50,30\n", "line 3"),
        (b"industry,nps\nlogistics,41\nfreight,40\n", "line 2"),
        (b"industry,nps,year\nlogistics,41,1999\n", "line 2.year"),
        (b"industry,nps,source\n" + b"x" * 201 + b",41,S\n", "line 2.industry"),
    ],
)
def test_a_bad_file_is_refused_with_the_place_of_its_fault(content: bytes, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        sets_of(content, {"source": "S", "year": "2026"})
    assert caught.value.errors
    assert caught.value.errors[0]["field"] == field


@pytest.mark.parametrize("given", [{}, {"source": "S"}, {"source": "S", "year": "20x6"}])
def test_a_set_needs_source_and_year(given: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        sets_of(b"industry,nps\nlogistics,41\n", given)
