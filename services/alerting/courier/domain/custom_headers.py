"""Which custom headers an endpoint may ask for."""

import re
from collections.abc import Mapping

MAX_HEADERS = 20
MAX_HEADER_NAME = 100
MAX_HEADER_BYTES = 4096
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?\Z")
_FORBIDDEN = frozenset(
    (
        "accept-encoding",
        "connection",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "metadata",
        "metadata-flavor",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
    )
)
# Headers of the message itself, of proxies, and of clouds, whose metadata services trust them.
_FORBIDDEN_PREFIXES = (
    "ce-",
    "content-",
    "proxy-",
    "tellback-",
    "webhook-",
    "x-alibaba-",
    "x-amz-",
    "x-amzn-",
    "x-aws-",
    "x-azure-",
    "x-gcp-",
    "x-goog-",
    "x-google-",
    "x-metadata-",
    "x-ms-",
    "x-oci-",
)


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise ValueError, which never repeats a value, unless every custom header may be sent.

    Names are HTTP tokens, differ in more than case and are not those that the delivery itself, a proxy or a
    cloud's metadata service uses; values are 1 to 4,096 printable ASCII characters.
    """
    if len(headers) > MAX_HEADERS:
        raise ValueError(f"at most {MAX_HEADERS} headers")
    if len({name.lower() for name in headers}) != len(headers):
        raise ValueError("two names differ only in case")
    for name, value in headers.items():
        if len(name) > MAX_HEADER_NAME or not _NAME.match(name):
            raise ValueError("a name is not an HTTP token")
        lowered = name.lower()
        if lowered in _FORBIDDEN or lowered.startswith(_FORBIDDEN_PREFIXES):
            raise ValueError("a name is reserved")
        if len(value) > MAX_HEADER_BYTES or not _VALUE.match(value):
            raise ValueError(f"a value is not 1 to {MAX_HEADER_BYTES} printable ASCII characters")
