"""The importer's mapping as it is written on a command line or in a form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collector.domain.columns import RESPONSES, SYNONYMS
from services.collector.domain.mapping import MappingError, written_mapping

QUESTION = "How likely, on a scale of 0-10 (10=best), are you to recommend us?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("score=Stars", {"score": "Stars"}),
        ("account_id=Airline, score = Stars", {"account_id": "Airline", "score": "Stars"}),
        (f"score={QUESTION}", {"score": QUESTION}),
        (f"account_id=Client,score={QUESTION},comment=Why, then?", {
            "account_id": "Client", "score": QUESTION, "comment": "Why, then?"}),
        ("survey_type==csat,comment=", {"survey_type": "=csat", "comment": ""}),
        ("attributes.cabin=Cabin, class,score=S", {"attributes.cabin": "Cabin, class", "score": "S"}),
        ("account_id=A,", {"account_id": "A"}),
        ("Airline=account_id,Rate, of 5=score", {"Airline": "account_id", "Rate, of 5": "score"}),
        ("scor=rating", {"scor": "rating"}),
    ],
)  # fmt: skip
def test_names_of_columns_may_hold_commas_and_equals_signs(text: str, expected: dict[str, str]) -> None:
    assert written_mapping(text, SYNONYMS[RESPONSES]) == expected


@pytest.mark.parametrize("text", ["[1]", "score", "=score"])
def test_a_text_without_a_field_is_no_mapping(text: str) -> None:
    with pytest.raises(MappingError):
        written_mapping(text, SYNONYMS[RESPONSES])


COLUMN = st.text("abc ,=?()", max_size=12).map(str.strip).filter(lambda name: not name.endswith(","))


@given(st.dictionaries(st.sampled_from(sorted(SYNONYMS[RESPONSES])), COLUMN, min_size=1, max_size=4))
def test_what_is_written_pair_by_pair_is_read_pair_by_pair(mapping: dict[str, str]) -> None:
    """No name here holds a comma before the name of a field."""
    text = ",".join(f"{field}={column}" for field, column in mapping.items())
    assert written_mapping(text, SYNONYMS[RESPONSES]) == mapping
