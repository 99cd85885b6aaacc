"""Cookies and the tokens that show that a form came from our own page."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

SESSION, FORM = "tellback_session", "tellback_form"


@dataclass(frozen=True, slots=True)
class Forms:
    """A form's token is a keyed hash of a cookie that no other site can read or set."""

    secret_key: str
    secure: bool

    def cookie_for(self, request: Request) -> str:
        """The value that a form of this browser is bound to: the session, else a cookie for the login page."""
        return request.cookies.get(SESSION) or request.cookies.get(FORM) or secrets.token_urlsafe(32)

    def token(self, cookie: str) -> str:
        """The token of a form."""
        return hmac.new(self.secret_key.encode(), b"form:" + cookie.encode(), hashlib.sha256).hexdigest()

    def fits(self, request: Request, token: str) -> bool:
        """Whether the form came from our page, in this browser, and not by way of another site."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        cookie = request.cookies.get(SESSION) or request.cookies.get(FORM)
        return bool(cookie) and hmac.compare_digest(self.token(str(cookie)).encode(), token.encode())

    def set_cookie(self, response: Response, name: str, value: str) -> None:
        """Not readable by scripts, not sent by other sites' forms."""
        response.set_cookie(name, value, httponly=True, samesite="lax", secure=self.secure, path="/")
