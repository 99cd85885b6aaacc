"""A DKIM key made for a test, and a verifier that is not ours (dkimpy)."""

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.outreach.domain.relay import DkimKey


def made_pair() -> tuple[DkimKey, bytes]:
    """A key of supplier.example, and the record of its public half."""
    made = rsa.generate_private_key(65537, 2048)
    private = made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = b"".join(line for line in public.splitlines() if not line.startswith(b"-"))
    return DkimKey("supplier.example", "t1", private), b"v=DKIM1; k=rsa; p=" + body


def verifies(content: bytes, record: bytes) -> bool:
    """Whether the signature of a mail holds by the record that the DNS has."""

    def looked_up(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"t1._domainkey.supplier.example."
        return record

    return bool(dkim.verify(content, dnsfunc=looked_up))
