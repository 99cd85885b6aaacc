"""The list of industries: what is stored for names and synonyms."""

import pytest

from shared.industries import INDUSTRIES, NAMES, canonical_industry


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("facilities_management", "facilities_management"),
        ("Facilities Management", "facilities_management"),
        ("FM", "facilities_management"),
        ("catering", "contract_catering"),
        ("Freight", "logistics"),
        ("MANUFACTURING", "manufacturing"),
        ("Business Process Outsourcing (BPO)", "bpo"),
        ("business process outsourcing", "bpo"),
        ("R.P.O.", "bpo"),
        ("I.T.", "it_services"),
        ("IT-Services", "it_services"),
        ("Technology", "saas"),
        ("Marketing & Advertising", "marketing_advertising"),
        ("marketing and advertising", "marketing_advertising"),
        ("finance", "fintech"),
        ("Consulting", "service"),
    ],
)
def test_a_known_word_becomes_its_slug(text: str, slug: str) -> None:
    assert canonical_industry(text) == slug


@pytest.mark.parametrize("text", ["Aerospace", "IT for farms", "& —", ""])
def test_any_other_industry_stays_as_it_was_sent(text: str) -> None:
    assert canonical_industry(text) == text


def test_every_slug_has_a_name_and_no_word_means_two_industries() -> None:
    assert len(NAMES) == len(INDUSTRIES) == 10
    for industry in INDUSTRIES:
        for word in (industry.slug, industry.name, *industry.synonyms):
            assert canonical_industry(word) == industry.slug
