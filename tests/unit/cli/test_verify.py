"""`tellback verify` counts by plain arithmetic, and reads a file as the collector does."""

import gzip
from pathlib import Path

import pytest
import typer

from services.cli.verify import PORTFOLIO, HowToRead, recount
from shared.errors import TellbackError
from tests.support.workbooks import workbook

FILE = """account,person,score,date
acme,ann,10,2026-03-31
acme,ann,9.0,2026-03-31T10:00:00Z
acme,ann,3,2026-03-31
acme,ann,9/1,2026-03-31
acme,ann,1e1,2026-03-31
acme,ann,\uff19,2026-03-31
acme,ann,11,2026-03-31
acme,ann,,2026-03-31
acme,ann,9,20260331
acme,ann,9,2026-02-30
acme,ann,9,1999-12-31
acme,ann,9,2126-03-31
acme,,9,2026-03-31
"""


def counted(tmp_path: Path, content: bytes, how: HowToRead | None = None) -> tuple[dict[str, tuple[int, int]], int]:
    """Account -> promoters and all answers; and how many rows do not count."""
    file = tmp_path / "answers"
    file.write_bytes(content)
    counts, left_out = recount(file, how or HowToRead())
    return {account: (count.promoters, count.total) for account, count in counts.items()}, left_out


def test_a_file_is_counted_as_the_collector_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text(FILE, encoding="utf-8")
    counts, left_out = recount(file, HowToRead())
    assert counts["acme"].figures() == counts[PORTFOLIO].figures() == (float(100 / 3), 2, 0, 1)
    assert left_out == 10


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"account;email;score;comment;date\nvf1;a@v.example;10.0;x;2026-10-05\n", id="semicolons"),
        pytest.param(gzip.compress(b"account,email,score\nvf1,a@v.example,10\n"), id="gzip"),
        pytest.param("account,email,score,comment\nvf1,a@v.example,9,schön\n".encode("cp1252"), id="Windows-1252"),
        pytest.param(workbook({"A": [["account", "email", "score"], ["vf1", "a@v.example", 10]]}), id="workbook"),
    ],
)
def test_any_file_that_is_imported_is_verified(tmp_path: Path, content: bytes) -> None:
    assert counted(tmp_path, content) == ({PORTFOLIO: (1, 1), "vf1": (1, 1)}, 0)


def test_the_options_of_the_import_are_those_of_the_verification(tmp_path: Path) -> None:
    content = b"airline,who,How likely, of 10?,when\n".replace(b"How likely, of 10?", b'"How likely, of 10?"')
    content += b"blue,ann,9,31/03/2026\nblue,bob,2,31/03/2026\n"
    columns = ("account_id=airline,score=How likely, of 10?", "stakeholder_id=who,answered_at=when")
    how = HowToRead((*columns, "survey_type==nps"), date_format="DD/MM/YYYY", time_zone="Europe/Berlin")
    assert counted(tmp_path, content, how) == ({PORTFOLIO: (1, 2), "blue": (1, 2)}, 0)


def test_what_the_import_would_refuse_is_refused(tmp_path: Path) -> None:
    for content, how in (
        (b"", HowToRead()),
        (b"PK\x03\x04", HowToRead()),
        (b"account,email,Rating\nuq7,a@x.example,5\n", HowToRead()),
    ):
        with pytest.raises(TellbackError):
            counted(tmp_path, content, how)
    for how in (HowToRead(date_format="MM/YYYY"), HowToRead(time_zone="Mars/Base")):
        with pytest.raises(typer.BadParameter):
            counted(tmp_path, FILE.encode(), how)


def test_answers_of_another_survey_and_tests_do_not_count(tmp_path: Path) -> None:
    content = b"account,email,score,survey type,test\nvf1,a@v.example,5,csat,\nvf1,b@v.example,9,nps,yes\n"
    assert counted(tmp_path, content) == ({PORTFOLIO: (0, 0)}, 2)
