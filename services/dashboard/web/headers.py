"""The security headers of every answer, which keep foreign script out."""

from starlette.datastructures import MutableHeaders

# NiceGUI compiles its templates in the browser and sends script for the browser to run, hence unsafe-eval; its own
# inline scripts carry the nonce, which injected script does not.
POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)


def protect(headers: MutableHeaders, nonce: str) -> None:
    """Set the headers of every answer."""
    headers["content-security-policy"] = POLICY.format(nonce=nonce)
    headers["referrer-policy"] = "same-origin"
    headers["x-content-type-options"] = "nosniff"
    headers["permissions-policy"] = "camera=(), geolocation=(), microphone=()"
