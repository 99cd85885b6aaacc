"""Malformed bodies, one by one: each gets a problem with a useful code, and no part of the body in the answer."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.http.limits import BODY_BYTES
from tests.support.edge import BIG_BODY, SECRET_WORDS
from tests.support.problems import assert_problem, field_codes

JSON = {"content-type": "application/json"}


async def post(client: httpx.AsyncClient, content: bytes, **headers: str) -> httpx.Response:
    return await client.post("/v1/answers", content=content, headers=JSON | headers)


async def test_a_good_body_is_taken(client: httpx.AsyncClient) -> None:
    response = await post(client, b'{"score": 9, "comment": "caf\xc3\xa9", "at": "2026-03-01T10:00:00.123456+01:00"}')
    assert response.status_code == 200
    assert response.json()["at"] == "2026-03-01T09:00:00.123456Z"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        pytest.param(b'{"score": 9', 400, "malformed_json", id="cut off"),
        pytest.param(b"score=9", 400, "malformed_json", id="not JSON"),
        pytest.param(b'{"score": 9} x', 400, "malformed_json", id="more after the end"),
        pytest.param(b'{"score": 9, "comment": "a\x01b"}', 400, "malformed_json", id="raw control character"),
        pytest.param(b'\xef\xbb\xbf{"score": 9}', 400, "not_utf8", id="byte order mark"),
        pytest.param('{"score": 9}'.encode("utf-16"), 400, "not_utf8", id="UTF-16 with a mark"),
        pytest.param('{"score": 9}'.encode("utf-16-le"), 400, "malformed_json", id="UTF-16 without a mark"),
        pytest.param(b'{"score": 9, "comment": "caf\xe9"}', 400, "not_utf8", id="latin-1"),
        pytest.param(b'{"score": 9, "comment": "\xed\xa0\x80"}', 400, "not_utf8", id="raw surrogate"),
        pytest.param(b'{"score": 9, "score": 1}', 422, "duplicate_key", id="key twice"),
        pytest.param(b'{"score": 9, "attributes": {"a": 1, "a": 1}}', 422, "duplicate_key", id="key twice within"),
        pytest.param(b'{"score": NaN}', 422, "number_out_of_range", id="NaN"),
        pytest.param(b'{"score": -Infinity}', 422, "number_out_of_range", id="infinity"),
        pytest.param(b'{"score": 9, "attributes": {"a": 1e400}}', 422, "number_out_of_range", id="1e400"),
        pytest.param(b'{"score": 9, "attributes": {"a": 1e200000}}', 422, "number_out_of_range", id="1e200000"),
        pytest.param(b'{"score": %s}' % (b"9" * 5000), 422, "number_out_of_range", id="5,000 digits"),
        pytest.param(b'{"score": 9223372036854775808}', 422, "number_out_of_range", id="beyond 64 bits"),
        pytest.param(b'{"score": 9, "comment": "\\ud800"}', 422, "lone_surrogate", id="lone surrogate"),
        pytest.param(b'{"score": 9, "\\uDC00": 1}', 422, "lone_surrogate", id="lone surrogate in a key"),
        pytest.param(b'{"score": 9, "comment": "a\\u0000b"}', 422, "nul_character", id="NUL"),
        pytest.param(b"[" * 33 + b"]" * 33, 422, "too_deep", id="33 levels"),
        pytest.param(b"[" * 30_000 + b"]" * 30_000, 422, "too_deep", id="30,000 levels"),
        pytest.param(b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 422, "too_deep", id="10,000 objects"),
    ],
)
async def test_unreadable_json_is_refused(client: httpx.AsyncClient, content: bytes, status: int, code: str) -> None:
    assert_problem(await post(client, content), status, code)


@pytest.mark.parametrize(
    ("content", "field", "code"),
    [
        pytest.param(b"{}", "score", "missing", id="missing"),
        pytest.param(b"", "body", "missing", id="empty body"),
        pytest.param(b"[1]", "body", "object_type", id="array body"),
        pytest.param(b"null", "body", "object_type", id="null body"),
        pytest.param(b'"9"', "body", "object_type", id="text body"),
        pytest.param(b'{"score": true}', "score", "int_type", id="true"),
        pytest.param(b'{"score": "9"}', "score", "int_type", id="digits in a text"),
        pytest.param(b'{"score": 9.0}', "score", "int_type", id="9.0"),
        pytest.param(b'{"score": 1e1}', "score", "int_type", id="1e1"),
        pytest.param(b'{"score": 9.5}', "score", "int_type", id="9.5"),
        pytest.param(b'{"score": null}', "score", "int_type", id="null"),
        pytest.param(b'{"score": 11}', "score", "less_than_equal", id="11"),
        pytest.param(b'{"score": -1}', "score", "greater_than_equal", id="-1"),
        pytest.param(b'{"score": 9, "coment": "x"}', "coment", "unknown_field", id="unknown field"),
        pytest.param(b'{"score": 9, "at": 1767225600}', "at", "invalid_time", id="epoch seconds"),
        pytest.param(b'{"score": 9, "at": "1767225600000"}', "at", "invalid_time", id="epoch milliseconds"),
        pytest.param(b'{"score": 9, "at": "2026-03-01"}', "at", "invalid_time", id="date only"),
        pytest.param(b'{"score": 9, "at": "2026-03-01T09:00:00"}', "at", "invalid_time", id="naive time"),
        pytest.param(b'{"score": 9, "at": "2026-03-01T24:00:00Z"}', "at", "invalid_time", id="24:00"),
        pytest.param(b'{"score": 9, "at": "2026-06-30T23:59:60Z"}', "at", "invalid_time", id="leap second"),
        pytest.param(b'{"score": 9, "attributes": {"a": []}}', "attributes.a.str", "string_type", id="nested"),
    ],
)
async def test_what_breaks_a_rule_names_its_field(
    client: httpx.AsyncClient, content: bytes, field: str, code: str
) -> None:
    body = assert_problem(await post(client, content), 422, "invalid_request")
    assert field_codes(body)[field] == code


LEAKY_BODIES = [
    json.dumps({"score": SECRET_WORDS}).encode(),
    json.dumps({"score": 9, "comment": SECRET_WORDS * 20}).encode(),
    json.dumps({"score": 9, SECRET_WORDS: 1}).encode(),
    json.dumps({"score": 9, "at": SECRET_WORDS}).encode(),
    json.dumps({"score": 9, "attributes": {SECRET_WORDS: []}}).encode(),
    json.dumps({"score": 9, "attributes": SECRET_WORDS}).encode(),
    json.dumps([SECRET_WORDS]).encode(),
    b'{"%s": 1, "%s": 2}' % (SECRET_WORDS.encode(), SECRET_WORDS.encode()),
    SECRET_WORDS.encode(),
]


@pytest.mark.parametrize("content", LEAKY_BODIES)
async def test_nothing_of_the_input_comes_back(client: httpx.AsyncClient, content: bytes) -> None:
    response = await post(client, content)
    assert 400 <= response.status_code < 500
    assert "boss" not in response.text


async def test_an_unknown_field_with_an_odd_name_stays_unnamed(client: httpx.AsyncClient) -> None:
    body = assert_problem(await post(client, b'{"score": 9, "<script>": 1}'), 422, "invalid_request")
    assert field_codes(body) == {"(unnamed)": "unknown_field"}


async def test_at_most_50_errors_are_listed(client: httpx.AsyncClient) -> None:
    many = {"score": 9} | {f"field_{number}": 1 for number in range(200)}
    body = assert_problem(await post(client, json.dumps(many).encode()), 422, "invalid_request")
    assert len(body["errors"]) == 50
    assert "of 200" in body["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"content-type": "text/plain"}, id="text/plain"),
        pytest.param({"content-type": "application/x-www-form-urlencoded"}, id="form"),
        pytest.param({"content-type": "application/json; charset=latin-1"}, id="latin-1"),
        pytest.param({"content-type": "application/jsonish"}, id="nearly JSON"),
        pytest.param({"content-type": ""}, id="empty"),
        pytest.param({}, id="none"),
    ],
)
async def test_other_content_types_are_refused(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.post("/v1/answers", content=b'{"score": 9}', headers=headers)
    assert response.status_code == 415
    assert response.json()["code"] in ("unsupported_media_type", "unsupported_charset")


async def test_a_charset_of_utf8_is_taken(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/answers", content=b'{"score": 9}', headers={"content-type": 'Application/JSON; charset="UTF-8"'}
    )
    assert response.status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity"])
async def test_compressed_bodies_are_refused(client: httpx.AsyncClient, encoding: str) -> None:
    assert_problem(await post(client, b"\x1f\x8b", **{"content-encoding": encoding}), 415, "unsupported_encoding")


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1000):
        yield b" " * 1000


async def test_a_body_over_the_default_is_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await post(client, b" " * (BODY_BYTES + 1)), 413, "body_too_large")


async def test_a_body_over_the_default_is_refused_also_in_chunks(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/answers", content=chunks(BODY_BYTES + 10_000), headers=JSON)
    assert_problem(response, 413, "body_too_large")


async def test_a_huge_body_is_not_read_to_its_end(client: httpx.AsyncClient) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while taken < 5_000_000:
            taken += 1000
            yield b" " * 1000

    assert_problem(await client.post("/v1/answers", content=endless(), headers=JSON), 413, "body_too_large")
    assert taken <= BODY_BYTES + 1000


async def test_a_body_of_exactly_the_limit_is_read(client: httpx.AsyncClient) -> None:
    content = b'{"score": 9}'
    assert (await post(client, b" " * (BODY_BYTES - len(content)) + content)).status_code == 200


async def test_a_route_may_take_more(client: httpx.AsyncClient) -> None:
    large = b" " * (BIG_BODY - 20) + b'{"score": 9}'
    assert (await client.post("/v1/big-answers", content=large, headers=JSON)).status_code == 200
    larger = await client.post("/v1/big-answers", content=large + b" " * 20, headers=JSON)
    assert_problem(larger, 413, "body_too_large")


async def test_forms_are_limited_and_must_be_forms(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/files", files={"file": b"x" * 100})).json() == {"size": 100}
    assert_problem(await client.post("/v1/files", files={"file": b"x" * BODY_BYTES}), 413, "body_too_large")
    assert_problem(await client.post("/v1/files", json={"file": "x"}), 415, "unsupported_media_type")


async def test_a_route_that_reads_for_itself_is_limited_too(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/raw", content=b"x" * 10)).json() == {"size": 10}
    assert_problem(await client.post("/v1/raw", content=chunks(BODY_BYTES + 10_000)), 413, "body_too_large")


async def test_a_body_that_may_be_left_out_may_be_left_out(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/acknowledge")).json() == {"with_body": False}
    assert (await client.post("/v1/acknowledge", json={"score": 1})).json() == {"with_body": True}


async def test_text_of_every_kind_is_kept_as_it_is(client: httpx.AsyncClient) -> None:
    for text in (
        "<script>alert(1)</script>",
        "{{7*7}}",
        "=HYPERLINK()",
        "' or 1=1 --",
        "👩‍👩‍👧",
        "\u202eabc",
        "\u200b",
    ):
        response = await client.post("/v1/answers", json={"score": 9, "comment": text})
        assert response.json()["comment"] == text
