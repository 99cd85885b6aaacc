"""TLS of connections that Tellback opens."""

import ssl
from pathlib import Path
from typing import Any, Self


class RenewingContext(ssl.SSLContext):
    """A context that reads the client's certificate and the authorities again when their files have changed, so that a
    renewed certificate is used by the next connection, without a restart."""

    _files: tuple[Path | None, Path | None, Path | None] = (None, None, None)
    _read_at: tuple[int, ...] = ()

    @classmethod
    def of(cls, ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> Self:
        """A context for clients that checks certificate and host name. Raises `OSError`, `ssl.SSLError`."""
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context._files = (ca_file, cert_file, key_file)
        if ca_file is None:
            context.load_default_certs()
        context._read()
        return context

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """Called by asyncio for each connection."""
        if self._changed_at() != self._read_at:
            self._read()
        return super().wrap_bio(*arguments, **named)

    def _read(self) -> None:
        ca_file, cert_file, key_file = self._files
        read_at = self._changed_at()
        if ca_file is not None:
            self.load_verify_locations(cafile=ca_file)
        if cert_file is not None:
            self.load_cert_chain(cert_file, key_file)
        self._read_at = read_at

    def _changed_at(self) -> tuple[int, ...]:
        return tuple(file.stat().st_mtime_ns for file in self._files if file is not None)


def client_context(
    ca_file: Path | None = None,
    cert_file: Path | None = None,
    key_file: Path | None = None,
    minimum: str = "TLSv1.2",
) -> ssl.SSLContext:
    """A context that checks the server's certificate and name, by the authorities in `ca_file` or else the system's.
    `minimum` is the oldest version of TLS. Raises `OSError` or `ssl.SSLError` where a file cannot be used."""
    context = RenewingContext.of(ca_file, cert_file, key_file)
    context.minimum_version = ssl.TLSVersion[minimum.replace(".", "_")]
    return context
