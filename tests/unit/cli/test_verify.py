"""`tellback verify` counts by plain arithmetic, and counts what the collector takes."""

from pathlib import Path

from services.cli.verify import PORTFOLIO, recount

FILE = """account,score,date
acme,10,2026-03-31
acme,9.0,2026-03-31T10:00:00Z
acme,3,2026-03-31
acme,9/1,2026-03-31
acme,1e1,2026-03-31
acme,\uff19,2026-03-31
acme,11,2026-03-31
acme,,2026-03-31
acme,9,20260331
acme,9,2026-02-30
acme,9,1999-12-31
"""


def test_a_file_is_counted_as_the_collector_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text(FILE, encoding="utf-8")
    counts, left_out = recount(file, "account", "score", "date")
    assert counts["acme"].figures() == counts[PORTFOLIO].figures() == (float(100 / 3), 2, 0, 1)
    assert left_out == 8
