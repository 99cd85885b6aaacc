"""What the edge does to every request: framing, ids, metrics, failures, and the errors of the framework."""

import logging

import httpx
import pytest
from fastapi import APIRouter
from prometheus_client import REGISTRY

from shared.http.app import create_app
from shared.http.limits import HEADER_BYTES
from tests.support.edge import SECRET_WORDS, Keys, edge_app
from tests.support.http import running
from tests.support.problems import assert_problem, field_codes


async def test_two_lengths_are_refused(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json", "transfer-encoding": "chunked", "content-length": "12"}
    response = await client.post("/v1/open-answers", content=b'{"score": 9}', headers=headers)
    assert_problem(response, 400, "two_lengths")


async def test_large_headers_are_refused(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/list", headers={"x-large": "x" * HEADER_BYTES})
    assert_problem(response, 431, "headers_too_large")


@pytest.mark.parametrize("path", ["/v1/accounts/a%00b", "/v1/list?q=%00", "/v1/nowhere?x=a%00"])
async def test_nul_in_the_address_is_refused(client: httpx.AsyncClient, path: str) -> None:
    assert_problem(await client.get(path), 422, "nul_character")


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("limit=0", "limit", "greater_than_equal"),
        ("limit=-1", "limit", "greater_than_equal"),
        ("limit=5&colour=red", "colour", "unknown_field"),
        ("%3Cscript%3E=1", "(unnamed)", "unknown_field"),
        ("limit=1000000000", "limit", "less_than_equal"),
        ("limit=many", "limit", "int_parsing"),
        ("since=yesterday", "since", "invalid_time"),
        ("since=1767225600", "since", "invalid_time"),
    ],
)
async def test_bad_query_parameters_are_named(client: httpx.AsyncClient, query: str, field: str, code: str) -> None:
    body = assert_problem(await client.get(f"/v1/list?{query}"), 422, "invalid_request")
    assert field_codes(body) == {field: code}


async def test_a_plus_that_was_not_escaped_is_understood(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/list?since=2026-03-01T10:00:00+01:00")
    assert response.json()["since"] == "2026-03-01T09:00:00Z"


@pytest.mark.parametrize("never_given", ["nope", "7", "01a224ba-8a01-7ca6-836e"])
async def test_an_id_that_cannot_be_one_of_ours_is_unknown(client: httpx.AsyncClient, never_given: str) -> None:
    assert_problem(await client.get(f"/v1/receipts/{never_given}"), 404, "not_found")


async def test_an_impossible_id_says_nothing_without_a_key(anonymous: httpx.AsyncClient) -> None:
    assert_problem(await anonymous.get("/v1/receipts/nope"), 401, "unauthorized")


@pytest.mark.parametrize("bad", ["%20", "%2E%2E%20", "a%5Cb", "x" * 201, "a%0Ab", "%C2%80"])
async def test_bad_ids_in_the_path_are_refused(client: httpx.AsyncClient, bad: str) -> None:
    body = assert_problem(await client.get(f"/v1/accounts/{bad}"), 422, "invalid_request")
    assert field_codes(body) == {"account_id": "invalid_id"}


async def test_one_id_has_one_form(client: httpx.AsyncClient) -> None:
    decomposed = (await client.get("/v1/accounts/ cafe\u0301 ")).json()
    assert decomposed == (await client.get("/v1/accounts/caf\u00e9")).json() == {"account_id": "caf\u00e9"}


async def test_unknown_paths_and_methods_are_problems(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/v1/nowhere"), 404, "not_found")
    assert_problem(await client.get("/v1/list/"), 404, "not_found")
    response = await client.put("/v1/list")
    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path", ["/v1/list", "/v1/accounts/acme", "/health/ready", "/metrics", "/docs", "/openapi.json"]
)
async def test_head_is_answered_where_get_is_and_has_no_body(client: httpx.AsyncClient, path: str) -> None:
    asked, told = await client.head(path), await client.get(path)
    assert (asked.status_code, asked.content) == (told.status_code, b"")
    assert asked.headers["content-type"] == told.headers["content-type"]


async def test_head_is_refused_as_get_is(client: httpx.AsyncClient) -> None:
    statuses = [(await client.head(path)).status_code for path in ("/v1/nowhere", "/v1/answers", "/v1/list?limit=0")]
    assert statuses == [404, 405, 422]


@pytest.mark.parametrize("types", [("application/json", "text/plain"), ("application/json",) * 2], ids=["two", "equal"])
async def test_two_content_types_are_refused(client: httpx.AsyncClient, types: tuple[str, str]) -> None:
    headers = [("content-type", kind) for kind in types]
    response = await client.post("/v1/answers", content=b'{"score": 9}', headers=headers)
    assert_problem(response, 415, "two_content_types")


async def test_an_expected_error_keeps_its_code(client: httpx.AsyncClient) -> None:
    body = assert_problem(await client.get("/v1/conflict"), 409, "stale_version")
    assert (body["title"], body["detail"]) == ("Conflict", "somebody was quicker")


async def test_a_mistake_of_ours_is_500_and_says_nothing(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = await client.get("/v1/broken")
    body = assert_problem(response, 500, "internal_error")
    assert SECRET_WORDS not in response.text
    [line] = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    assert (line["event"], line["request_id"], line["route"]) == ("request_failed", body["request_id"], "/v1/broken")
    assert "RuntimeError" in line["exception"]


async def test_an_answer_that_breaks_off_breaks_the_connection(client: httpx.AsyncClient) -> None:
    with pytest.raises(RuntimeError):
        await client.get("/v1/stream")


async def test_a_harmless_request_id_is_kept(client: httpx.AsyncClient) -> None:
    kept = await client.get("/v1/list", headers={"x-request-id": "shop-42.a_b"})
    assert kept.headers["x-request-id"] == "shop-42.a_b"
    for bad in ("a b", "x" * 65, "<script>", ""):
        replaced = await client.get("/v1/list", headers={"x-request-id": bad})
        assert replaced.headers["x-request-id"] not in ("", bad)


@pytest.mark.parametrize(
    ("traceparent", "trace_id"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("00-<script>-00f067aa0ba902b7-01", None),
    ],
)
async def test_lines_of_a_request_carry_its_trace(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, traceparent: str, trace_id: str | None
) -> None:
    with caplog.at_level(logging.ERROR):
        await client.get("/v1/broken", headers={"traceparent": traceparent})
    [line] = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    assert line.get("trace_id") == trace_id


async def test_answers_are_neither_sniffed_nor_stored(client: httpx.AsyncClient) -> None:
    for path in ("/v1/list", "/v1/nowhere", "/v1/broken"):
        response = await client.get(path)
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"


def observed(method: str, route: str, status: str) -> float:
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("tellback_http_request_duration_seconds_count", labels) or 0.0


async def test_requests_are_measured_by_route_template(client: httpx.AsyncClient) -> None:
    cases = [
        ("GET", "/v1/accounts/acme", "/v1/accounts/{account_id}", "200"),
        ("GET", "/v1/accounts/%20", "/v1/accounts/{account_id}", "422"),
        ("GET", "/v1/nowhere/acme", "unmatched", "404"),
        ("GET", "/v1/broken", "/v1/broken", "500"),
        ("BREW", "/v1/list", "/v1/list", "405"),
        ("HEAD", "/v1/list", "/v1/list", "200"),
    ]
    for method, path, route, status in cases:
        known = "other" if method == "BREW" else method
        before = observed(known, route, status)
        await client.request(method, path)
        assert observed(known, route, status) == before + 1, path
    assert "acme" not in (await client.get("/metrics")).text


async def test_metrics_are_exposed(client: httpx.AsyncClient) -> None:
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert "tellback_build_info{" in response.text
    assert 'service="test"' in response.text


def test_a_router_that_would_pass_the_edge_by_is_refused() -> None:
    stock = APIRouter()

    @stock.get("/v1/loose")
    async def loose() -> None: ...

    with pytest.raises(TypeError, match="/v1/loose"):
        create_app("test", "Test", "", [stock], lambda app: None)  # type: ignore[arg-type,return-value]


async def test_two_services_may_share_a_process() -> None:
    async with running(edge_app(Keys())) as first, running(edge_app(Keys())) as second:
        assert (await first.get("/health/live")).status_code == (await second.get("/health/live")).status_code == 200
