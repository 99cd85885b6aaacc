"""The sending domain, as outreach tells it: what the DNS says, what it should say, and a note for others' IT."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_EXAMPLE: dict[str, Any] = {
    "ok": False,
    "checks": [
        {
            "name": "supplier.example: DMARC",
            "state": "failed",
            "found": "there is no DMARC record",
            "fix": "publish one; p=none turns nothing away",
            "record": {"name": "_dmarc.supplier.example", "type": "TXT", "value": "v=DMARC1; p=none"},
        }
    ],
    "note": "We ask the people we work with for their opinion by mail. Please let these mails pass: …",
}


class DnsRecord(BaseModel):
    """A record to publish."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    type: Literal["TXT"]
    value: str


class DomainCheck(BaseModel):
    """The result of one check; `not_checked` where the DNS did not answer, or nothing can be told."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    state: Literal["ok", "warning", "failed", "not_checked"]
    found: str
    fix: str = Field(description="What to do about it; empty where nothing is wrong.")
    record: DnsRecord | None = Field(description="What the DNS should say instead, to be copied.")


class SendingDomain(BaseModel):
    """What receivers of mails find in the DNS."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_EXAMPLE]})

    ok: bool = Field(description="No check failed.")
    checks: list[DomainCheck]
    note: str | None = Field(
        description="For the IT of those who are asked; null where no relay or no sender domain is set."
    )
