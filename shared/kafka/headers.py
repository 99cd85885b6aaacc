"""Encode and decode headers in Kafka's record format (version 2): a count, then each name and value with its length."""

from collections.abc import Sequence

from aiokafka.record.util import decode_varint, encode_varint

from shared.events.envelope import Headers


class _Varints(dict[int, bytes]):
    """Encoded integers of the record format, each computed once."""

    def __missing__(self, number: int) -> bytes:
        made = bytearray()
        encode_varint(number, made.append)
        self[number] = found = bytes(made)
        return found


varint = _Varints()


def pack(headers: Sequence[tuple[str, bytes]]) -> bytes:
    """Headers encoded as in a record."""
    parts = [varint[len(headers)]]
    for name, raw in headers:
        encoded = name.encode()
        parts += (varint[len(encoded)], encoded, varint[len(raw)], raw)
    return b"".join(parts)


def unpack(headers: bytes) -> Headers:
    """The headers that `pack` encoded."""
    count, at = decode_varint(headers, 0)
    found: Headers = []
    for _ in range(count):
        name, at = sized_bytes(headers, at)
        raw, at = sized_bytes(headers, at)
        found.append(((name or b"").decode(), raw or b""))
    return found


def sized_bytes(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Length-prefixed bytes, or None for a null, and the position after them."""
    length, at = decode_varint(data, at)
    return (None, at) if length < 0 else (data[at : at + length], at + length)
