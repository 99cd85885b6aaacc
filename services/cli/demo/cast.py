"""The cast of the demo year: account managers, clients in six industries, and the comments of their people."""

from dataclasses import dataclass
from typing import Literal

StakeholderType = Literal["decision_maker", "user", "influencer"]
Course = Literal["steady", "loved", "falling", "recovering", "divided", "quiet"]
"""The course of an account over the year."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client account of the demo: `mood` is the score its people give on average at the start."""

    account_id: str
    name: str
    industry: str
    tier: str
    region: str
    revenue: int
    mood: float
    course: Course


OWNERS = (
    ("Ines Falk", "ines.falk@supplier.example"),
    ("Tom Okafor", "tom.okafor@supplier.example"),
    ("Priya Nair", "priya.nair@supplier.example"),
    ("Jonas Weber", "jonas.weber@supplier.example"),
)
SPONSOR = ("Clara Stein", "clara.stein@supplier.example")

CLIENTS = (
    Client("northwind", "Northwind Freight", "logistics", "premium", "EMEA", 640_000, 8.9, "loved"),
    Client("harbourline", "Harbour Line", "logistics", "key", "EMEA", 210_000, 8.4, "falling"),
    Client("swiftparcel", "Swift Parcel", "logistics", "small", "AMER", 48_000, 6.6, "recovering"),
    Client("cargovia", "Cargovia", "logistics", "key", "APAC", 155_000, 7.8, "steady"),
    Client("ironbridge", "Ironbridge Castings", "manufacturing", "premium", "EMEA", 520_000, 8.8, "falling"),
    Client("steinmetz", "Steinmetz Tools", "manufacturing", "key", "EMEA", 240_000, 9.1, "loved"),
    Client("pacific-valve", "Pacific Valve", "manufacturing", "small", "APAC", 61_000, 7.4, "divided"),
    Client("nordform", "Nordform", "manufacturing", "key", "EMEA", 180_000, 8.0, "steady"),
    Client("greenplate", "Greenplate Kitchens", "contract_catering", "key", "EMEA", 130_000, 6.3, "recovering"),
    Client("campus-table", "Campus Table", "contract_catering", "small", "AMER", 42_000, 8.2, "steady"),
    Client("larder-and-co", "Larder & Co", "contract_catering", "small", "EMEA", 38_000, 8.5, "quiet"),
    Client("brightsite", "Brightsite Facilities", "facilities_management", "premium", "EMEA", 480_000, 8.3, "divided"),
    Client("keystone-fm", "Keystone FM", "facilities_management", "key", "AMER", 220_000, 8.7, "quiet"),
    Client("towerkeep", "Towerkeep", "facilities_management", "small", "APAC", 52_000, 7.1, "falling"),
    Client("clearvoice", "Clearvoice BPO", "bpo", "key", "APAC", 260_000, 9.0, "loved"),
    Client("meridian-bpo", "Meridian Services", "bpo", "premium", "AMER", 590_000, 8.1, "steady"),
    Client("answerhub", "Answerhub", "bpo", "small", "APAC", 47_000, 7.2, "quiet"),
    Client("cloudpeak", "Cloudpeak IT", "it_services", "premium", "AMER", 710_000, 8.6, "falling"),
    Client("bluestack", "Bluestack Systems", "it_services", "key", "EMEA", 230_000, 8.9, "loved"),
    Client("patchworks", "Patchworks", "it_services", "small", "EMEA", 55_000, 6.9, "recovering"),
    Client("datafjord", "Datafjord", "it_services", "key", "EMEA", 190_000, 8.1, "steady"),
)

FIRST_NAMES = (
    *("Mara", "Ola", "Yusuf", "Lena", "Pablo", "Hanna", "Kofi", "Greta", "Ravi", "Sofia", "Emil", "Aiko", "Dario"),
    *("Nora", "Felix", "Amara", "Viktor", "Ines", "Tomas", "Leila", "Bruno", "Eva", "Samir", "Julia", "Marek"),
)
LAST_NAMES = (
    *("Lindqvist", "Berg", "Demir", "Schuster", "Ortega", "Novak", "Mensah", "Holm", "Iyer", "Costa", "Larsen"),
    *("Tanaka", "Ricci", "Farkas", "Braun", "Okoye", "Petrov", "Silva", "Kral", "Haddad", "Moreau", "Lund", "Aziz"),
)
JOBS: dict[StakeholderType, tuple[tuple[str, str], ...]] = {
    "decision_maker": (("Chief Operating Officer", "c_level"), ("Head of Procurement", "director")),
    "user": (("Shift Lead", "lead"), ("Planner", "staff"), ("Service Desk Analyst", "staff"), ("Engineer", "staff")),
    "influencer": (("Quality Manager", "manager"), ("Finance Business Partner", "manager")),
}

COMMENTS: dict[str, tuple[str, ...]] = {
    "detractor": (
        "Third late delivery this quarter and nobody told us beforehand.",
        "Tickets stay open for days. We had to find the workaround ourselves.",
        "Invoices are wrong every month and it takes four mails to correct one.",
        "Our contact changed twice and we started from zero each time.",
        "The last change broke our process and the fix took two weeks.",
    ),
    "passive": (
        "Solid, but a competitor answers faster at the same price.",
        "Does what it should. I would like to see what is coming next.",
        "Good people; reporting still costs us half a day a month.",
        "Fine for now. Value for money is what we will look at before renewal.",
    ),
    "promoter": (
        "They call before there is a problem. That is rare.",
        "Clear answers, kept dates, and they know our business.",
        "Onboarding our second site took a week. Impressive.",
        "I have recommended them to two colleagues this year.",
    ),
}
TOUCHPOINTS: dict[str, str] = {
    "logistics": "delivery",
    "manufacturing": "order_delivery",
    "contract_catering": "support",
    "facilities_management": "service_delivery",
    "bpo": "support",
    "it_services": "support",
}
RATED: dict[str, tuple[str, ...]] = {
    "logistics": ("reliability", "communication"),
    "manufacturing": ("implementation", "support"),
    "contract_catering": ("quality", "communication"),
    "facilities_management": ("quality", "reliability"),
    "bpo": ("communication", "support"),
    "it_services": ("responsiveness", "support"),
}
"""The attributes that people rate from 1 to 5 beside the score, by industry; everybody also rates the value for
money."""
