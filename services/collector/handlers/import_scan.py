"""What a file says as a whole, in one pass before its rows are taken: how many there are, names that stand for ids,
what its scores and dates look like, and which row of several is the last."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.collector.domain.csv_values import CellError, whole_number
from services.collector.domain.dates import moment
from services.collector.domain.day_order import DateEnds
from services.collector.domain.formats import AnswerRows, answer_rows
from services.collector.domain.row_ids import NAMED_BY_ID, SlashedNames, TooManyNames
from services.collector.domain.rows import Reading, texts_of
from services.collector.handlers import file_ids
from shared.files.lines import TableError
from shared.files.table import BadRow, Row, Table

MOST_SUBMISSIONS = 500_000
HIGHEST_OF_OTHERS = 5
"""Up to here scores may be of another scale."""
_DATES_TRIED = 100
_EARLY = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class FileScan:
    """`rows` with something in them; `ids`: fields and columns of ids; `doubtful`: no score says that this is NPS;
    `scores` by value, as long as it is; of `dates_tried` so many are `ambiguous`; `last`: what rows share -> the line
    of the last of them; `ends`: its first and last dates; `survey_missing`: ids that are ids within a survey, and none
    is named; `unseen` rows cannot be looked at."""

    answers: AnswerRows
    ids: Sequence[tuple[str, int]] = ()
    doubtful: bool = False
    rows: int = 0
    names: SlashedNames = field(default_factory=SlashedNames)
    scores: Counter[int] = field(default_factory=Counter)
    dates_tried: int = 0
    ambiguous: int = 0
    last: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    ends: DateEnds = field(default_factory=DateEnds)
    survey_missing: bool = False
    unseen: int = 0

    def is_last(self, line: int, key: str) -> bool:
        """Whether no later row has the same key."""
        found = self.last.get(key)
        return found is None or found[1] == line


def scan(table: Table, reading: Reading) -> FileScan:
    """Read a file to its end. Raises `TableError`."""
    columns = reading.columns
    found = FileScan(
        answer_rows(reading.format, columns.header),
        ids=[(name, place) for name, place in columns.places.items() if name in NAMED_BY_ID],
        doubtful=columns.doubtful_score,
    )
    for row in table:
        found.rows += 1
        if isinstance(row, BadRow) or not found.answers.has(row.cells):
            continue
        try:
            _look(found, reading, row)
        except (TableError, MemoryError):
            raise
        except Exception:
            found.unseen += 1  # when the row is read by itself, the report and the log say why
    return found


def _look(found: FileScan, reading: Reading, row: Row) -> None:
    places = reading.columns.places
    try:
        for name, place in found.ids:
            found.names.see(name, row.cells[place])
    except TooManyNames:
        raise TableError("too_many_names", "the file has too many names with slashes; send it in parts") from None
    if found.doubtful:
        _count_score(found, row.cells[places["score"]])
    if "answered_at" in places:
        found.ends.see(row.cells[places["answered_at"]])
        _try_date(found, reading, row.cells[places["answered_at"]])
    if found.rows <= file_ids.LOOKED_AT and file_ids.survey_is_missing(reading.columns, row.cells):
        found.survey_missing = True
    if reading.format.last_of is not None:
        _note_last(found, reading, row)


def _count_score(found: FileScan, cell: str) -> None:
    try:
        score = whole_number(cell)
    except CellError:
        return  # said of its row
    found.scores[max(score, -1)] += 1  # few values, whatever a file holds
    if score > HIGHEST_OF_OTHERS:
        found.doubtful = False


def _try_date(found: FileScan, reading: Reading, cell: str) -> None:
    if found.dates_tried >= _DATES_TRIED or not cell.strip():
        return
    found.dates_tried += 1
    try:
        moment(cell, reading.dates)
    except CellError as error:
        found.ambiguous += error.code == "ambiguous_date"


def _note_last(found: FileScan, reading: Reading, row: Row) -> None:
    texts = texts_of(reading, row.cells)
    key = texts.get(reading.format.last_of or "")
    if key is None:
        return
    answered_at = _EARLY
    with suppress(CellError):  # said of its row; the order of the file decides
        answered_at = moment(texts.get("answered_at", ""), reading.dates).moment
    found.last[key] = max(found.last.get(key, (_EARLY, 0)), (answered_at, row.line))
    if len(found.last) > MOST_SUBMISSIONS:
        raise TableError("too_many_submissions", f"the file has more than {MOST_SUBMISSIONS:,}; send it in parts")
