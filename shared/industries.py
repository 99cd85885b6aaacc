"""The list of industries: slug, display name and synonyms."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Industry:
    """A known industry: `slug` is stored and shown in every group and answer, `name` is for pages."""

    slug: str
    name: str
    synonyms: tuple[str, ...] = ()


INDUSTRIES = (
    Industry("facilities_management", "Facilities Management", ("FM", "facilities")),
    Industry("contract_catering", "Contract Catering", ("catering",)),
    Industry("logistics", "Logistics", ("freight",)),
    Industry("manufacturing", "Manufacturing"),
    Industry("bpo", "Business Process Outsourcing (BPO)", ("RPO", "business process outsourcing")),
    Industry("it_services", "IT Services", ("IT",)),
    Industry("saas", "SaaS", ("technology", "software as a service")),
    Industry("marketing_advertising", "Marketing & Advertising", ("marketing and advertising",)),
    Industry("fintech", "Fintech", ("finance",)),
    Industry("service", "Service", ("consulting",)),
)
NAMES = {industry.slug: industry.name for industry in INDUSTRIES}
"""Slug -> display name, in the order of the list."""

_PUNCTUATION = re.compile(r"[\W_]+")


def _plain(text: str) -> str:
    return _PUNCTUATION.sub("", text).casefold()


_SLUGS = {
    _plain(word): industry.slug
    for industry in INDUSTRIES
    for word in (industry.slug, industry.name, *industry.synonyms)
}


def canonical_industry(text: str) -> str:
    """The slug of a known slug, name or synonym, case and punctuation ignored; any other text as it came."""
    return _SLUGS.get(_plain(text), text)
