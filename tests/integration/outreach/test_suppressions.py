"""Objections: the list, sheets in and out, and taking them back."""

import csv
import io

import pytest

from tests.support.outreach import NOW, Asking, account, person


@pytest.fixture(autouse=True)
async def people(desk: Asking) -> None:
    """Ann and Bob at Acme."""
    await desk.take(account(owner="olivia@us.example"), person(), person("bob"))


async def test_an_address_in_any_form_is_asked_no_more_and_never_kept(desk: Asking) -> None:
    body = {"addresses": ["  ANN@Acme.Example ", "no address", "bob@acme.example", "Bob@acme.example"]}
    answer = (await desk.client.post("/v1/suppressions", json=body)).json()
    assert answer == {"added": 2, "known": 0, "refused": [{"line": 2, "detail": "must be an e-mail address"}]}
    assert [row["problem"]["reason"] for row in await desk.links("ann", "bob")] == ["objected", "objected"]
    assert "acme" not in str(await desk.rows("suppressions"))
    again = (await desk.client.post("/v1/suppressions", json={"addresses": ["ann@acme.example"]})).json()
    assert (again["added"], again["known"]) == (0, 1)


async def test_an_objection_that_is_taken_back_is_asked_again(desk: Asking) -> None:
    await desk.client.post("/v1/suppressions", json={"addresses": ["ann@acme.example"]})
    [listed] = (await desk.get("/v1/suppressions", email="Ann@acme.example"))["items"]
    assert (await desk.get("/v1/suppressions", email="bob@acme.example"))["items"] == []
    assert (listed["source"], listed["created_by"][:4]) == ("import", "key:")
    assert (await desk.client.delete(f"/v1/suppressions/{listed['suppression_id']}")).status_code == 204
    assert (await desk.client.delete(f"/v1/suppressions/{listed['suppression_id']}")).status_code == 404
    assert (await desk.get("/v1/suppressions"))["items"] == []
    assert await desk.reason() is None
    await desk.client.post("/v1/suppressions", json={"addresses": ["ann@acme.example"]})
    assert await desk.reason(handed_over=False) == "objected"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_a_sheet_comes_in_with_or_without_a_heading_and_goes_out(desk: Asking, delimiter: str) -> None:
    sheet = "\ufeffEmail;note\r\nann@acme.example;on the phone\r\n\r\n'=evil;\r\n".replace(";", delimiter)
    answer = await desk.client.post("/v1/suppressions", content=sheet.encode(), headers={"content-type": "text/csv"})
    assert answer.json()["added"] == 1
    assert [refused["line"] for refused in answer.json()["refused"]] == [4]
    plain = await desk.client.post(
        "/v1/suppressions", content=b"bob@acme.example\n", headers={"content-type": "text/csv; charset=utf-8"}
    )
    assert plain.json()["added"] == 1
    out = await desk.client.get("/v1/suppressions", headers={"accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(out.content.decode("utf-8-sig"))))
    assert [row["source"] for row in rows] == ["import", "import"]
    assert rows[0]["created_at"] == NOW.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(("encoding", "separator"), [("utf-8", "\u2028"), ("utf-16", "\u2028"), ("cp1252", "\x0b")])
async def test_a_sheet_in_any_encoding_keeps_the_numbers_of_its_lines(
    desk: Asking, encoding: str, separator: str
) -> None:
    """With a character that ends no line of an editor, a cell of two lines, and a quote that is not closed."""
    sheet = f'sep=;\r\nann@acme.example;J\xfcrgen{separator}says no\r\nno address;"two\r\nlines"\r\n'
    sheet += '"bob@acme.example\r\nbob@acme.example;\r\n'
    content, headers = sheet.encode(encoding), {"content-type": "text/csv"}
    answer = (await desk.client.post("/v1/suppressions", content=content, headers=headers)).json()
    assert (answer["added"], answer["known"]) == (2, 0)
    assert [refused["line"] for refused in answer["refused"]] == [3, 5]


async def test_pages_of_the_list_follow_each_other(desk: Asking) -> None:
    await desk.client.post("/v1/suppressions", json={"addresses": [f"p{n}@acme.example" for n in range(5)]})
    found, cursor = [], None
    while True:
        page = await desk.get("/v1/suppressions", limit=2, **({"cursor": cursor} if cursor else {}))
        found += [item["suppression_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 5


async def test_c37_only_managers_of_all_accounts_see_the_list(desk: Asking) -> None:
    others = [
        await desk.with_key("read", "act", "ingest"),
        await desk.with_key("manage", owner_email="olivia@us.example"),
    ]
    for other in others:
        assert (await other.client.get("/v1/suppressions")).status_code == 403
        body = {"addresses": ["x@y.example"]}
        assert (await other.client.post("/v1/suppressions", json=body)).status_code == 403
        path = "/v1/suppressions/0b9f6b0e-5c0f-4c1e-8a6d-0a8f6f3d2c11"
        assert (await other.client.delete(path)).status_code == 403


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 422),
        (b'{"addresses": []}', "application/json", 422),
        (b"<xml/>", "application/xml", 415),
        (b"\xff\xfe", "text/csv", 422),
        (b"", "text/csv", 422),
        (b"Email\n\n", "text/csv", 422),
    ],
)
async def test_what_cannot_be_read_is_refused(desk: Asking, content: bytes, kind: str, status: int) -> None:
    answer = await desk.client.post("/v1/suppressions", content=content, headers={"content-type": kind})
    assert answer.status_code == status
