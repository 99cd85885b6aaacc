"""Revisions are named after their schema and numbered, take nothing away from services of the release before unless
they say so, and who keeps the directory has all versions of its tables."""

import re

import pytest

import shared.db.directory
from shared.db.migration_steps import Index, steps_of
from shared.db.schemas import PACKAGES, files_of
from tests.architecture.migration_rules import faults_of, statements_of

VERSION = re.compile(r"\bdirectory_ddl_v\d+\b")
VERSIONS = set(filter(VERSION.fullmatch, vars(shared.db.directory)))


def versions_called(schema: str) -> set[str]:
    called: set[str] = set()
    for path in files_of(schema).values():
        called.update(VERSION.findall(path.read_text(encoding="utf-8")))
    return called


KEEPERS = [schema for schema in PACKAGES if versions_called(schema)]


@pytest.mark.parametrize("schema", PACKAGES)
def test_revisions_are_named_after_their_schema_and_numbered(schema: str) -> None:
    before = None
    for number, (path, step) in enumerate(zip(files_of(schema).values(), steps_of(schema), strict=True), start=1):
        assert path.name.startswith(f"{number:04}_")
        assert (step.revision, step.module.down_revision) == (f"{schema}_{number}", before)
        assert step.title, f"{path} does not say what it is for"
        before = step.revision
    assert before is not None


@pytest.mark.parametrize("schema", PACKAGES)
def test_what_a_revision_is_compatible_since_is_known_and_never_goes_back(schema: str) -> None:
    known: list[str] = []
    latest = 0
    for step in steps_of(schema):
        known.append(step.revision)
        assert step.compatible_since in known, step.revision
        assert known.index(step.compatible_since) >= latest, step.revision
        latest = known.index(step.compatible_since)


@pytest.mark.parametrize("schema", PACKAGES)
def test_a_revision_takes_nothing_away_from_services_at_work_unless_it_says_so(schema: str) -> None:
    first, *later = steps_of(schema)
    before = first.compatible_since
    for step in later:
        assert bool(step.indexes) is not hasattr(step.module, "upgrade"), "either a transaction or indexes"
        found = faults_of(statements_of(step), step.compatible_since, before, concurrently=bool(step.indexes))
        assert found == [], step.revision
        before = step.compatible_since


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        pytest.param("drop table responses", "drops", id="drop table"),
        pytest.param("alter table responses drop column score", "drops", id="drop column"),
        pytest.param("alter table responses drop constraint responses_once", "drops", id="drop constraint"),
        pytest.param("alter table responses alter column score drop default", "drops", id="drop default"),
        pytest.param("alter table responses alter column score drop not null", "", id="allow null"),
        pytest.param("drop index responses_dead", "", id="drop index"),
        pytest.param("alter table responses rename score to rating", "renames", id="rename column"),
        pytest.param("alter table responses rename to answers", "renames", id="rename table"),
        pytest.param("alter table responses alter score type bigint", "changes a type", id="type"),
        pytest.param("alter table responses alter column a set data type text", "changes a type", id="set data type"),
        pytest.param("alter table responses\n    alter column score\n    set not null", "sets not null", id="not null"),
        pytest.param("alter table responses add column a int not null", "have to fill", id="column to fill"),
        pytest.param(
            "alter table responses add a numeric(9, 2) not null, add b int default 1", "have to fill", id="two"
        ),
        pytest.param("alter table responses add column a int not null default 1", "", id="column with a default"),
        pytest.param("alter table responses add column a text -- not null later", "", id="column that may be null"),
        pytest.param("alter table responses add unique (account_id)", "adds a constraint", id="unique"),
        pytest.param(
            "alter table responses add constraint c check (score > 0) not valid", "adds a constraint", id="check"
        ),
        pytest.param("create table drops (account_id text not null unique)", "", id="new table"),
        pytest.param("comment on table responses is 'drop table'", "", id="literal"),
    ],
)
def test_what_takes_something_away_raises_compatible_since(statement: str, fault: str) -> None:
    raised = faults_of([statement], "scorer_2", "scorer_1")
    assert raised == []
    found = faults_of([statement], "scorer_1", "scorer_1")
    assert [fault in text and "has to be raised" in text for text in found] == [True] * bool(fault)


def test_indexes_of_tables_that_are_there_are_built_concurrently() -> None:
    statement = "create index responses_new on responses (score)"
    [fault] = faults_of([statement], "scorer_1", "scorer_1")
    assert "belongs to INDEXES" in fault
    assert faults_of([Index.of(statement).statement(concurrently=True)], "a", "a", concurrently=True) == []
    assert faults_of(["create table fresh (a int)", "create index fresh_a on fresh (a)"], "a", "a") == []


def test_constraints_of_tables_that_are_there_are_not_checked_under_the_lock_that_adds_them() -> None:
    [fault] = faults_of(["alter table responses add check (score >= 0)"], "scorer_2", "scorer_1")
    assert "`not valid`" in fault


def test_a_view_that_is_made_anew_is_not_taken_away() -> None:
    view = "create view analytics.accounts as select 1"
    assert faults_of(["drop view analytics.accounts", view], "scorer_1", "scorer_1") == []
    assert len(faults_of(["drop view analytics.responses", view], "scorer_1", "scorer_1")) == 1


def test_only_an_index_may_be_built_outside_of_a_transaction() -> None:
    with pytest.raises(ValueError, match="create index NAME on TABLE"):
        Index.of("alter table responses add column a int")


def test_five_services_keep_the_directory() -> None:
    assert sorted(KEEPERS) == ["alerting", "benchmark", "collector", "outreach", "scorer"]


@pytest.mark.parametrize("schema", KEEPERS)
def test_who_keeps_the_directory_has_all_versions_of_its_tables(schema: str) -> None:
    assert versions_called(schema) == VERSIONS
