"""Whether a call comes from a provider of mail: by Postmark's secret, or by SendGrid's signature."""

import base64
import binascii
import hmac
from functools import cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


def is_postmark(authorization: str, secret: str) -> bool:
    """Whether the password of the header Authorization (Basic) is the secret: Postmark signs nothing."""
    scheme, _, shown = authorization.partition(" ")
    try:
        password = base64.b64decode(shown.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(password, secret.encode()) and scheme.lower() == "basic"


@cache
def sendgrid_key(text: str) -> EllipticCurvePublicKey:
    """The verification key as SendGrid shows it: DER in base64. Raises ValueError."""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, UnsupportedAlgorithm):
        raise ValueError("is no public key") from None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("is no key of an elliptic curve")
    return key


def is_sendgrid(key: str, signature: str, timestamp: str, body: bytes) -> bool:
    """Whether the signature (base64) is one of timestamp and body, under the verification key."""
    try:
        sendgrid_key(key).verify(base64.b64decode(signature, validate=True), timestamp.encode() + body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
