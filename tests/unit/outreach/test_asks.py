"""Ids and sums of asks."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain.asks import ask_id_in, kind_of, response_id_of
from services.outreach.domain.sums import FLAGS, OUTCOMES, STATES, groups_of

ASK = UUID("5d1f4c7e-8a30-4d0e-9b51-3c0a6f2e7b14")


def test_c10_an_ask_has_one_response_id() -> None:
    assert response_id_of(ASK) == "824de3ce-dcfe-585b-aff4-500ef6b25743"
    assert response_id_of(ASK) != response_id_of(UUID(int=1))


@pytest.mark.parametrize("other", [None, "", "foreign-1", "5d1f4c7e8a304d0e9b513c0a6f2e7b14", "x" * 36])
def test_ids_of_other_mailers_are_no_asks(other: str | None) -> None:
    assert ask_id_in(other) is None
    assert ask_id_in(str(ASK)) == ASK


def test_projects_are_transactional() -> None:
    assert [kind_of(kind) for kind in ("relationship", "transactional", "project", None)] == [
        "relationship",
        "transactional",
        "transactional",
        "transactional",
    ]


def counted(state: str, outcome: str | None, reason: str | None, count: int, key: str | None) -> dict[str, Any]:
    return {
        "key": key,
        "name": None,
        "state": state,
        "reason": reason,
        "outcome": outcome,
        "count": count,
        **dict.fromkeys(FLAGS, 1),
    }


ROWS = st.one_of(
    st.builds(counted, st.just("sent"), st.sampled_from(OUTCOMES), st.none(), st.integers(1, 9), st.sampled_from("ab")),
    st.builds(
        counted,
        st.sampled_from([state for state in STATES if state != "sent"]),
        st.none(),
        st.sampled_from(["objected", "floor"]),
        st.integers(1, 9),
        st.sampled_from("ab"),
    ),
)


@given(st.lists(ROWS, max_size=30))
def test_c7_the_sums_hold_for_every_group(rows: list[dict[str, Any]]) -> None:
    groups = groups_of(rows, whole=False)
    assert sum(group["planned"] for group in groups) == sum(row["count"] for row in rows)
    for group in groups:
        assert group["planned"] == sum(group[state] for state in STATES)
        assert group["sent"] == sum(group["outcomes"].values())
        assert sum(reason["count"] for reason in group["reasons"]) == group["planned"] - group["sent"]
        assert group["sent_rate"] == round(100 * group["sent"] / group["planned"], 1)


def test_without_groups_there_is_one_also_of_nothing() -> None:
    [group] = groups_of([], whole=True)
    assert (group["planned"], group["sent_rate"], group["key"]) == (0, None, None)
