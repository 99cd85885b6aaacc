"""Derived ids are those of the standard library, which other languages make as well."""

from uuid import uuid5

from hypothesis import given
from hypothesis import strategies as st

from shared.ids import NAMESPACE, derived_uuid


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_a_derived_id_is_version_5_of_its_parts_with_their_lengths(parts: list[str]) -> None:
    assert derived_uuid(*parts) == uuid5(NAMESPACE, "".join(f"{len(part)}:{part}" for part in parts))
