"""Which custom headers an endpoint may add."""

import pytest

from services.alerting.courier.domain.custom_headers import MAX_HEADER_BYTES, check_headers


def test_good_headers_are_taken() -> None:
    check_headers(
        {
            "Authorization": "Bearer abc.def",
            "X-Api-KEY": "k" * MAX_HEADER_BYTES,
            "x-tenant": "a b\tc",
            "X-Forwarded-Tag": "1",
        }
    )
    check_headers({})


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "host", "Content-Type", "content-length", "User-Agent", "Transfer-Encoding", "Connection"),
        *("TE", "Upgrade", "Proxy-Authorization", "Keep-Alive", "Webhook-Id", "webhook-signature", "ce-id"),
        *("CE-Type", "X-Amz-Date", "x-goog-iam", "X-MS-Version", "Metadata-Flavor", "Metadata", "Cookie"),
        *("Accept-Encoding", "tellback-event-type", "Expect", "Trailer"),
    ],
)
def test_a_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        check_headers({name: "x"})


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ä", "x" * 101, "a\x00", "(x)"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="token"):
        check_headers({name: "x"})


@pytest.mark.parametrize(
    "value", ["a\r\nX-Evil: 1", "a\nb", "a\x00", "", " a", "a ", "ü", "x" * (MAX_HEADER_BYTES + 1), "\x7f"]
)
def test_a_value_that_could_break_the_request_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        check_headers({"X-Token": value})


def test_a_refusal_repeats_neither_name_nor_value() -> None:
    for headers in ({"X-Token": "hush-hush\n"}, {"hush hush": "x"}, {"webhook-hush": "x"}):
        with pytest.raises(ValueError, match=r".") as refusal:
            check_headers(headers)
        assert "hush" not in str(refusal.value)


def test_names_that_differ_only_in_case_are_refused() -> None:
    with pytest.raises(ValueError, match="case"):
        check_headers({"X-A": "1", "x-a": "2"})


def test_more_than_twenty_are_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        check_headers({f"X-{number}": "1" for number in range(21)})
