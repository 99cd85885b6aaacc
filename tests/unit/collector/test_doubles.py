"""Who is likely to be one person."""

from services.collector.domain.doubles import Double, Listed, likely_doubles


def test_the_same_name_without_case_accents_and_blanks() -> None:
    people = [Listed("C-17", "Zoë  Lee", None), Listed("zoe@x.example", "zoe lee", None), Listed("C-18", None, None)]
    assert likely_doubles(people, 9) == [Double("zoe@x.example", "C-17", "same_name")]


def test_an_address_with_the_local_part_of_anothers_mail() -> None:
    people = [Listed("C-17", "Zoe", "z.lee@new.example"), Listed("Z.Lee@old.example", None, None)]
    assert likely_doubles(people, 9) == [Double("Z.Lee@old.example", "C-17", "same_local_part")]


def test_nobody_is_a_double_of_themselves_and_no_pair_is_told_twice() -> None:
    people = [Listed("z@x.example", "Zoe", "z@x.example"), Listed("C-1", "Zoe", "z@x.example")]
    assert likely_doubles(people, 9) == [Double("z@x.example", "C-1", "same_name")]


def test_people_with_one_name_are_paired_with_one_of_them() -> None:
    people = [Listed(f"C-{number}", "Zoe", None) for number in range(5)]
    assert [(double.stakeholder_id, double.into) for double in likely_doubles(people, 3)] == [
        ("C-1", "C-0"),
        ("C-2", "C-0"),
        ("C-3", "C-0"),
    ]
