"""Signs webhooks by Standard Webhooks: the headers that let a receiver check origin, content and age."""

from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook


def signed_headers(message_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """`webhook-id`, `webhook-timestamp` (unix seconds of the attempt) and `webhook-signature`.

    One `v1` signature for each secret (`whsec_…`), in their order, over `id.timestamp.body`. `at` must be
    aware.
    """
    moment = at.astimezone(UTC)  # the library signs the wrong second for any other zone
    text = body.decode()
    signatures = [Webhook(secret).sign(message_id, moment, text) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
