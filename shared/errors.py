"""Errors as a small tree: each has a stable `code`; the HTTP edge maps the class to a status.

The consumer side knows three verdicts: `Poison` goes to the dead letters at once,
`Transient` pauses and retries, `Halt` waits for an operator, anything else is isolated to its record.
"""


class TellbackError(Exception):
    """Base of every expected error.

    `code` is stable and machine-readable (snake_case); `detail` is for people and never repeats the input.
    """

    status = 500
    title = "Internal error"
    service: str | None = None
    """The service that raised the error, where it came over the service's API."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        retry_after: int | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.errors = errors


class BadRequest(TellbackError):
    """The request cannot be read at all (not JSON, two lengths, wrong encoding)."""

    status, title = 400, "Bad request"


class Unauthorized(TellbackError):
    """No key, or one that is unknown, expired or revoked; the error does not say which."""

    status, title = 401, "Unauthorized"


class Forbidden(TellbackError):
    """The key lacks the scope; the error is the same for known and unknown ids."""

    status, title = 403, "Forbidden"


class NotFound(TellbackError):
    """The resource does not exist, or this caller may not see it."""

    status, title = 404, "Not found"


class Conflict(TellbackError):
    """The state does not allow it, or the caller's version is stale."""

    status, title = 409, "Conflict"


class Gone(TellbackError):
    """The resource existed once and has been purged."""

    status, title = 410, "Gone"


class TooLarge(TellbackError):
    """The body or the event is larger than the limit."""

    status, title = 413, "Content too large"


class UnsupportedMedia(TellbackError):
    """A content type or content encoding that is not accepted."""

    status, title = 415, "Unsupported media type"


class Invalid(TellbackError):
    """The request was read and breaks a rule; `errors` lists the fields as {"field", "code", "detail"}."""

    status, title = 422, "Unprocessable content"


class TooMany(TellbackError):
    """Over the rate limit."""

    status, title = 429, "Too many requests"


class Unavailable(TellbackError):
    """Kafka or PostgreSQL is away; nothing was taken, try again after `retry_after` seconds. `fault` says in a sentence
    what an operator has to mend, where that is known: for logs and commands, not for callers of the API."""

    status, title = 503, "Service unavailable"
    fault = ""


class Poison(TellbackError):
    """A record that can never be handled: to the dead letters at once, with `code` as the reason."""


class UnknownKind(Poison):
    """An event of a type that only a newer release knows: skipped, and no fault."""


class Transient(TellbackError):
    """Infrastructure trouble: pause and retry, never a dead letter."""


class Halt(TellbackError):
    """Reading must stop until an operator decides: wiped Kafka, retention gap, too many dead letters. The process stays
    and serves the state that it has; it checks from time to time whether reading may go on."""


class HandlerFailed(Exception):
    """An unforeseen error of a handler, as `cause`: wrapped, so that an `OSError` of the handler is not taken for
    trouble with the database."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


def cause_of(error: Exception) -> Exception:
    """The handler's own error where this one wraps it, else the error itself."""
    return error.cause if isinstance(error, HandlerFailed) else error
