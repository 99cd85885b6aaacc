"""What a migration may do while services of the release before are at work. CONTRIBUTING.md says the same in words."""

import io
import re
from collections.abc import Sequence

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from shared.db.migration_steps import Step

MADE = re.compile(r"create (?:or replace )?(?:materialized )?(?:table|view|function) (?:if not exists )?([\w.]+)")
SUBJECT = re.compile(
    r"(?:alter table (?:if exists )?(?:only )?|drop (?:table|view|function) (?:if exists )?"
    r"|index (?:concurrently )?\w+ on )([\w.]+)"
)
TAKES_AWAY = {
    "drops": re.compile(r"\bdrop (?!index\b)(?!not null\b)"),
    "renames": re.compile(r"\brename\b"),
    "changes a type": re.compile(r"\balter (?:column )?\w+ (?:set data )?type\b"),
    "sets not null": re.compile(r"\bset not null\b"),
    "adds a column that writers have to fill": re.compile(
        r"\badd (?:column )?(?:if not exists )?(?!constraint\b|check\b|unique\b|primary\b|foreign\b|exclude\b)\w+ "
        r"(?=[^,]*\bnot null\b)(?![^,]*\b(?:default|generated)\b)"
    ),
    "adds a constraint": re.compile(r"\badd (?:constraint|check|unique|primary key|foreign key|exclude)\b"),
    "makes an index unique": re.compile(r"\bcreate unique index\b"),
}
"""What code of before may not work with."""
INDEX = re.compile(r"\bcreate (?:unique )?index\b")
CHECKED = re.compile(r"\badd (?:constraint \w+ )?(?:check|foreign key)\b")


def statements_of(step: Step) -> list[str]:
    """The statements of a step, without running them."""
    if step.indexes:
        return [index.statement(concurrently=True) for index in step.indexes]
    written = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written})
    with Operations.context(context):
        step.module.upgrade()
    return [statement for statement in written.getvalue().split(";\n\n") if statement.strip()]


def faults_of(
    statements: Sequence[str], compatible_since: str, before: str, *, concurrently: bool = False
) -> list[str]:
    """What is wrong with a step, in sentences. `before`: since when the step before it is compatible; `concurrently`:
    whether its statements run outside of a transaction."""
    plain = [_plain(statement) for statement in statements]
    made = {name for statement in plain for name in MADE.findall(statement)}
    faults = []
    for statement in plain:
        subject = SUBJECT.search(statement)
        if subject is not None and subject[1] in made:
            continue
        for what, pattern in TAKES_AWAY.items():
            if pattern.search(statement) and compatible_since == before:
                faults.append(f"{what}, so `compatible_since` has to be raised: {statement}")
        if INDEX.search(statement) and not concurrently:
            faults.append(
                f"builds an index in a transaction, which belongs to INDEXES of a step of its own: {statement}"
            )
        if CHECKED.search(statement) and "not valid" not in statement:
            faults.append(
                f"reads a whole table under a lock; add it `not valid`, validate it in a later step: {statement}"
            )
    return faults


def _plain(statement: str) -> str:
    """A statement in lower case on one line, without comments, literals and what stands in parentheses."""
    text = re.sub(r"'[^']*'", "''", re.sub(r"--[^\n]*", "", statement))
    while (shorter := re.sub(r"\([^()]*\)", "", text)) != text:
        text = shorter
    return " ".join(text.lower().split())
