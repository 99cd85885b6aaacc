"""What the doctor says of SPF and DMARC beside the verdict of checkdmarc 6.0.4 on the same records; it was asked once
with a DNS of its own: decision 0070 says why it is not asked each time, and where the two differ."""

import pytest

from tests.unit.outreach.test_sending_domain import FROM, GOOD, INCLUDED, examined, named

DMARC = f"_dmarc.{FROM}"
RUA = "rua=mailto:it@supplier.example"
VERDICTS = [
    # Name of the check, where the record stands, the records, our state, whether checkdmarc calls them valid.
    ("SPF", FROM, ("v=spf1 mx -all",), "ok", True),
    ("SPF", FROM, (), "failed", False),
    ("SPF", FROM, ("v=spf1 mx -all", "v=spf1 -all"), "failed", False),
    ("SPF", FROM, ("v=spf1 include:deep.example -all",), "failed", False),
    ("SPF", FROM, ("v=spf1 include:loop.example -all",), "failed", False),
    ("SPF", FROM, ("v=spf1 include:nobody.example -all",), "failed", False),
    ("SPF", FROM, ("v=spf1 ip4:300.1.1.1 -all",), "failed", False),
    ("DMARC", DMARC, (f"v=DMARC1; p=reject; {RUA}",), "ok", True),
    ("DMARC", DMARC, ("v=DMARC1; p=none",), "ok", True),
    ("DMARC", DMARC, (), "failed", False),
    ("DMARC", DMARC, ("v=DMARC1; p=none", "v=DMARC1; p=reject"), "failed", False),
    ("DMARC", DMARC, ("v=DMARC1; p=monitor",), "failed", False),
]
STRICTER = [
    ("SPF", FROM, "v=spf1 mx +all", "it lets everybody send"),
    ("DMARC", DMARC, f"v=DMARC1; {RUA}", "receivers before RFC 9989 want a policy"),
]
"""What checkdmarc calls valid, and we do not."""


@pytest.mark.parametrize(("name", "place", "records", "state", "valid"), VERDICTS)
async def test_two_judges_agree(name: str, place: str, records: tuple[str, ...], state: str, valid: bool) -> None:
    check = named(await examined({**GOOD, **INCLUDED, (place, "TXT"): records}), f"{FROM}: {name}")
    assert check.state == state
    assert (check.state == "ok") is valid


@pytest.mark.parametrize(("name", "place", "record", "why"), STRICTER)
async def test_we_are_stricter(name: str, place: str, record: str, why: str) -> None:
    check = named(await examined({**GOOD, (place, "TXT"): (record,)}), f"{FROM}: {name}")
    assert check.state == "failed", why
