"""Malformed and extreme values: texts, numbers, times, bodies and headers that break programs."""

from typing import Any

_LONG = b"x" * 5_000
TEXTS = {
    "NUL": b"a%00b",
    "a lone surrogate": b"%ED%A0%80",
    "not UTF-8": b"%FF%FE",
    "a line feed": b"a%0D%0Ab",
    "an escape character": b"%1B%5B31m",
    "5,000 characters": _LONG,
    "a way up": b"..%2F..%2Fetc",
    "half an escape": b"%zz%",
    "a pattern": b"%25_%5C",
    "an emoji": b"%F0%9F%98%80",
}
"""Escaped, for addresses."""
NUMBERS = {
    "-1": b"-1",
    "2^31": b"2147483648",
    "2^63": b"9223372036854775808",
    "of 400 digits": b"9" * 400,
    "1e400": b"1e400",
    "NaN": b"NaN",
    "of other digits": b"%EF%BC%99",
}
_TIMES = {
    "the first time": "0001-01-01T00:00:00Z",
    "the first time, farther east": "0001-01-01T00:00:00+14:00",
    "the last time": "9999-12-31T23:59:59.999999Z",
    "the last time, farther west": "9999-12-31T23:59:59-14:00",
    "a time without a zone": "2026-03-01T09:00:00",
    "a time of another digit": "\uff12026-03-01T09:00:00Z",
    "the first year that is taken": "1900-01-01T00:00:00Z",
    "the last year that is taken": "9900-12-31T23:59:59Z",
    "the first day": "0001-01-01",
    "the last day": "9999-12-31",
    "seconds": "99999999999999",
}
TIMES = {what: time.replace("+", "%2B").replace("\uff12", "%EF%BC%92").encode() for what, time in _TIMES.items()}
LITERALS = {
    "NUL": rb'"a\u0000b"',
    "a lone surrogate": rb'"\ud800"',
    "not UTF-8": b'"\xff"',
    "a line feed": rb'"a\nb"',
    "20,000 characters": b'"' + b"x" * 20_000 + b'"',
    "an empty text": b'""',
    "-1": b"-1",
    "half": b"0.5",
    "2^31": b"2147483648",
    "2^63": b"9223372036854775808",
    "of 400 digits": b"9" * 400,
    "1e308": b"1e308",
    "1e400": b"1e400",
    "NaN": b"NaN",
    "null": b"null",
    "true": b"true",
    "an empty array": b"[]",
    "an empty object": b"{}",
    "an array of null": b"[null]",
    "nested 5,000 deep": b"[" * 5_000 + b"]" * 5_000,
    **{what: f'"{time}"'.encode() for what, time in _TIMES.items()},
}
"""Raw JSON."""
WHOLE_BODIES = {
    "nested 30,000 deep": b"[" * 30_000 + b"]" * 30_000,
    "objects 9,000 deep": b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
    "deep and never closed": b"[" * 60_000,
    "deep in a member": b'{"comment":' + b"[" * 50_000,
    "empty": b"",
    "null": b"null",
    "a number": b"9" * 50_000,
    "an array": b"[1, 2]",
    "an array of arrays": b"[[[]]]",
    "a text": b'"text"',
    "half": b'{"account_id": ',
    "UTF-16": '{"account_id": "acme"}'.encode("utf-16"),
    "with a byte order mark": b'\xef\xbb\xbf{"account_id": "acme"}',
    "not UTF-8": b'{"account_id": "\xff"}',
    "an object with a name twice": b'{"account_id": "acme", "account_id": "acme"}',
    "NUL": b"\0",
}
HEADERS = {
    "not ASCII": b"\xff\xfe",
    "of 400 digits": b"9" * 400,
    "8,000 characters": b"x" * 8_000,
    "NaN": b"NaN",
    "-1": b"-1",
    "2^63": b'"9223372036854775808"',
    "an empty text": b"",
    "a tab": b"a\tb",
    "a time": b"Wed, 31 Dec 9999 23:59:59 GMT",
}


def _kind(*values: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((b"content-type", value) for value in values)


KINDS = {
    "JSON": _kind(b"application/json"),
    "nothing that is said": (),
    "nothing": _kind(b""),
    "text": _kind(b"text/plain"),
    "a form": _kind(b"application/x-www-form-urlencoded"),
    "a form of parts": _kind(b"multipart/form-data"),
    "JSON in UTF-16": _kind(b"application/json; charset=utf-16"),
    "JSON in letters that nobody knows": _kind(b"application/json; charset=\xff"),
    "JSON and text": _kind(b"application/json", b"text/plain"),
    "text and JSON": _kind(b"text/plain", b"application/json"),
    "JSON twice": _kind(b"application/json", b"application/json"),
    "JSON with parameters of nothing": _kind(b'application/json;;;=;"="'),
    "JSON in pieces": _kind(b"application/json; charset*0=utf-; charset*1=8"),
    "JSON, packed": (*_kind(b"application/json"), (b"content-encoding", b"gzip")),
}
"""Content types for the same body."""
FORMS = {
    "with NUL": (b"application/x-www-form-urlencoded", b"account_id=a%00b&email=a%00b&password=%00&q=%00"),
    "not UTF-8": (b"application/x-www-form-urlencoded", b"account_id=%FF&email=%ED%A0%80&=&&%zz=%"),
    "of 5,000 fields": (b"application/x-www-form-urlencoded", b"&".join(b"f%d=1" % number for number in range(5_000))),
    "of parts without a boundary": (b"multipart/form-data", b"--x\r\n\r\n"),
    "of parts, cut short": (
        b"multipart/form-data; boundary=x",
        b'--x\r\ncontent-disposition: form-data; name="file"\r\n\r\nabc',
    ),
    "of parts without a name": (b"multipart/form-data; boundary=x", b"--x\r\n\r\nabc\r\n--x--\r\n"),
    "of parts in letters that nobody knows": (
        b"multipart/form-data; boundary=x; charset=nonsense",
        b'--x\r\ncontent-disposition: form-data; name="kind"\r\n\r\n\xff\r\n--x--\r\n',
    ),
}
"""Content type and body of forms."""

CURSOR_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        0.5,
        2**31,
        2**63 - 1,
        2**63,
        10**300,
        1e308,
        "",
        "a",
        "NaN",
        "Infinity",
        "1E+999999",
        "9" * 99,
    ),
    *(
        "a\0b",
        "\ud800",
        "x" * 1_000,
        [],
        {},
        [[1]],
        "00000000-0000-0000-0000-000000000000",
        "{0}",
        "%_\\",
        "2026-03-01",
    ),
    *(time for time in _TIMES.values()),
)
"""Replacements for a value of a cursor."""
CURSOR_CONTENTS = (
    *(b"", b"null", b"1", b"[]", b"{}", b'""', b"[NaN]", b"[1e400]", b"\xff", b"\0", b'{"a":1,"a":2}', b"[" * 1_400),
    *(b"[" * 700 + b"]" * 700, b"9" * 1_400, b'"\\ud800"', b'"\\u0000"'),
)
"""Replacements for the whole content of a cursor."""
