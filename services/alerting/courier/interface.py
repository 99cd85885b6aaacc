"""The interface of the courier: all that the rest of alerting may use of it. It uses nothing of the rest.

| function | |
| --- | --- |
| `subscribers`, `subscribed_types` | who wants messages of which types |
| `enqueue` | queue messages in the transaction that causes them; call `Courier.wake` after the commit |
| `deliveries_of` | what became of messages |
| `change_owners` | an account has another owner, who may from now on read the messages sent about it |
| `forget_person`, `forget_messages_of` | erase a person, or an account, from what was sent and waits |
| `disabled_notices`, `claim_disabled_notices`, `disabled_endpoints` | endpoints that were disabled, to tell people |
| `note_restore`, `held_since`, `let_go`, `SENDING` | nothing leaves after a restore until somebody lets it |
| `secrets_of`, `names_of` | check what an endpoint's receiver sends back, and name it |
"""

from services.alerting.courier.domain import messages
from services.alerting.courier.domain.messages import WebhookMessage
from services.alerting.courier.handlers.resources import Courier
from services.alerting.courier.handlers.secrets import SigningEndpoint, secrets_of
from services.alerting.courier.store.disabled import claim_disabled_notices, disabled_endpoints, disabled_notices
from services.alerting.courier.store.endpoints import names_of
from services.alerting.courier.store.erasures import forget_messages_of, forget_person
from services.alerting.courier.store.log import deliveries_of
from services.alerting.courier.store.messages import (
    Subscriber,
    change_owners,
    enqueue,
    subscribed_types,
    subscribers,
)
from services.alerting.courier.store.restores import SENDING, held_since, let_go, note_restore

__all__ = [
    "SENDING",
    "Courier",
    "SigningEndpoint",
    "Subscriber",
    "WebhookMessage",
    "change_owners",
    "claim_disabled_notices",
    "deliveries_of",
    "disabled_endpoints",
    "disabled_notices",
    "enqueue",
    "forget_messages_of",
    "forget_person",
    "held_since",
    "let_go",
    "messages",
    "names_of",
    "note_restore",
    "secrets_of",
    "subscribed_types",
    "subscribers",
]
