"""Checks of error answers."""

from typing import Any

import httpx

from shared.http.problem import Problem


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The answer is problem+json of this status and code, well-formed and complete; returns its body."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json"), (
        response.text
    )
    body: dict[str, Any] = response.json()
    Problem.model_validate(body)
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:tellback:problem:{code}")
    assert body["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    return body


def field_codes(body: dict[str, Any]) -> dict[str, str]:
    """Field to code of the errors in a problem."""
    return {error["field"]: error["code"] for error in body.get("errors") or []}
