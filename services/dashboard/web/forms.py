"""Cookies and the tokens that show that a form came from our own page."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from services.dashboard.handlers.signing_in import name_of
from shared.key_ring import secret_keys

SESSION, FORM, DEVICE = "tellback_session", "tellback_form", "tellback_device"
DEVICE_SECONDS = 180 * 86_400


def session_of(headers: Headers) -> str | None:
    """The token of the session in the cookies of a request."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(SESSION)
    except CookieError:
        return None
    if cookie:
        return cookie.value
    return None


@dataclass(frozen=True, slots=True)
class Forms:
    """Makes and checks the tokens of forms: a token is a keyed hash of a cookie that no other site can read or set. The
    first of the deployment's keys makes, each is accepted."""

    ring: tuple[str, ...]
    secure: bool

    def cookie_for(self, request: Request) -> str:
        """The cookie value that a form of this browser is bound to: the session, else a cookie for the login page."""
        return request.cookies.get(SESSION) or request.cookies.get(FORM) or secrets.token_urlsafe(32)

    def token(self, cookie: str) -> str:
        """The token of a form."""
        return self._macs(f"form:{cookie}")[0]

    def fits(self, request: Request, token: str) -> bool:
        """Whether the form came from our page, in this browser, and not from another site."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        cookie = request.cookies.get(SESSION) or request.cookies.get(FORM)
        return bool(cookie) and _is_one_of(token, self._macs(f"form:{cookie}"))

    def remember_device(self, response: Response, email: str) -> None:
        """Mark this browser as one on which the name has signed in: failures elsewhere do not make it wait."""
        device = secrets.token_urlsafe(16)
        self.set_cookie(response, DEVICE, f"{device}.{self._device_macs(device, email)[0]}", DEVICE_SECONDS)

    def device_of(self, request: Request, email: str) -> str | None:
        """The device, where the name has signed in on it; None where it has not, or where the cookie was not made
        here."""
        device, _, mac = request.cookies.get(DEVICE, "").partition(".")
        if _is_one_of(mac, self._device_macs(device, email)):
            return device
        return None

    def _device_macs(self, device: str, email: str) -> list[str]:
        return self._macs(f"device:{device}:{name_of(email)}")

    def _macs(self, content: str) -> list[str]:
        """The keyed hashes of a text: the one to show first, then those that were shown under older keys."""
        return [hmac.new(key.encode(), content.encode(), hashlib.sha256).hexdigest() for key in secret_keys(self.ring)]

    def set_cookie(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        """Set a cookie that scripts cannot read and other sites' forms do not send; without `seconds` it ends with the
        browser."""
        response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=self.secure, path="/")


def _is_one_of(shown: str, macs: Iterable[str]) -> bool:
    """Each is compared, so that the time says nothing."""
    return any([hmac.compare_digest(mac.encode(), shown.encode()) for mac in macs])
