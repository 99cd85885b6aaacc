"""Secrets and signatures of webhooks, checked with known answers and the independent verifier."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.alerting.courier.domain.signing import (
    MAX_OLD_SECRETS,
    Secret,
    TooManySecrets,
    checked_secret,
    live,
    new_secret,
    rotated,
)
from services.alerting.courier.gateways.signer import signed_headers

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KNOWN_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def secret_of(size: int) -> str:
    return "whsec_" + base64.b64encode(bytes(range(size))).decode()


def test_the_known_answer() -> None:
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
        [KNOWN_SECRET],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_zone_of_the_time_does_not_matter() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert signed_headers("msg_1", elsewhere, b"{}", [KNOWN_SECRET]) == signed_headers(
        "msg_1", NOW, b"{}", [KNOWN_SECRET]
    )


def test_every_secret_verifies_and_no_other_does() -> None:
    secrets = [new_secret() for _ in range(3)]
    body = '{"name":"Zoë","n":12345678901234567890}'.encode()
    headers = signed_headers("msg_1", datetime.now(UTC), body, secrets)
    for secret in secrets:
        assert Webhook(secret).verify(body, headers)["n"] == 12345678901234567890
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0]).verify(body + b" ", headers)


def test_signatures_stand_in_the_order_of_the_secrets() -> None:
    first, second = new_secret(), new_secret()
    both = signed_headers("msg_1", NOW, b"{}", [first, second])["webhook-signature"]
    alone = [signed_headers("msg_1", NOW, b"{}", [secret])["webhook-signature"] for secret in (first, second)]
    assert both == " ".join(alone)


def test_a_new_secret_is_32_random_bytes() -> None:
    made = {new_secret() for _ in range(20)}
    assert len(made) == 20
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32 for secret in made)


@pytest.mark.parametrize("size", [24, 32, 33, 64])
def test_a_good_secret_is_taken(size: int) -> None:
    secret = secret_of(size)
    assert checked_secret(secret) == secret
    assert checked_secret(secret.rstrip("=")) == secret


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(secret_of(23), id="too short"),
        pytest.param(secret_of(65), id="too long"),
        pytest.param("whsec_", id="empty"),
        pytest.param("whsec_not/base64!" + "a" * 40, id="not base64"),
        pytest.param("whsec_" + "-_" * 20, id="urlsafe alphabet"),
        pytest.param(KNOWN_SECRET + "\n", id="newline"),
        pytest.param(KNOWN_SECRET[:-1] + "x=", id="misplaced padding"),
        pytest.param("whsec_" + "A" * 33, id="impossible length"),
        pytest.param("whsec_" + base64.b64encode(bytes(25)).decode()[:-3] + "B==", id="stray bits"),
        pytest.param(KNOWN_SECRET.removeprefix("whsec_"), id="no prefix"),
        pytest.param("sk_" + "A" * 44, id="unknown prefix"),
        pytest.param("whsk_" + "A" * 44, id="asymmetric"),
        pytest.param("whsk_%%%", id="broken asymmetric"),
    ],
)
def test_a_bad_secret_is_refused_without_repeating_it(bad: str) -> None:
    with pytest.raises(ValueError, match=r"must|not supported") as refusal:
        checked_secret(bad)
    assert bad.strip() not in str(refusal.value) or bad in ("whsec_",)


def test_the_old_secret_signs_until_its_grace_ends() -> None:
    held = rotated([Secret("a", NOW)], "b", NOW + DAY, DAY)
    assert [secret.value for secret in live(held, NOW + 1.9 * DAY)] == ["b", "a"]
    assert [secret.value for secret in live(held, NOW + 2 * DAY)] == ["b"]


def test_without_grace_the_old_secret_ends_at_once() -> None:
    assert [secret.value for secret in rotated([Secret("a", NOW)], "b", NOW, timedelta(0))] == ["b"]


def test_three_secrets_stand_newest_first() -> None:
    held = [Secret("a", NOW)]
    for hours, value in enumerate("bc", start=1):
        held = rotated(held, value, NOW + timedelta(hours=hours), DAY)
    assert [secret.value for secret in live(held, NOW + timedelta(hours=3))] == ["c", "b", "a"]


def test_an_eleventh_old_secret_is_refused_until_one_expires() -> None:
    held = [Secret("0", NOW)]
    for number in range(1, MAX_OLD_SECRETS + 1):
        held = rotated(held, str(number), NOW + timedelta(minutes=number), DAY)
    with pytest.raises(TooManySecrets) as refusal:
        rotated(held, "one more", NOW + timedelta(hours=1), timedelta(minutes=1))
    first_expiry = NOW + timedelta(minutes=1) + DAY
    assert refusal.value.next_expiry == first_expiry
    assert len(rotated(held, "one more", first_expiry, DAY)) == MAX_OLD_SECRETS + 1


def test_a_secret_that_comes_back_is_not_kept_twice() -> None:
    held = rotated([Secret("a", NOW)], "b", NOW, DAY)
    again = rotated(held, "a", NOW + timedelta(hours=1), DAY)
    assert [(secret.value, secret.expires_at is None) for secret in again] == [("a", True), ("b", False)]


def test_a_secret_is_not_shown_by_accident() -> None:
    assert KNOWN_SECRET not in repr(Secret(KNOWN_SECRET, NOW))
    assert KNOWN_SECRET not in f"{[Secret(KNOWN_SECRET, NOW)]}"
