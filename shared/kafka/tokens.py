"""Tokens with which clients name themselves to Kafka by OAUTHBEARER (RFC 7628)."""

import asyncio
import shlex
from pathlib import Path

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

TOKEN_SECONDS = 20.0
"""How long the command that prints a token may take."""


class NoToken(KafkaError):  # type: ignore[misc]
    """The file or command for the token gives none; the text says why, never the token."""


class Token(AbstractTokenProvider):  # type: ignore[misc]
    """A token, read anew at each connection: whoever writes the file, or the command, keeps it fresh."""

    def __init__(self, file: Path | None, command: str) -> None:
        self._file = file
        self._command = command

    async def token(self) -> str:
        if self._file is not None:
            return await asyncio.to_thread(_read, self._file)
        return await _printed(self._command)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NoToken(f"the file with the token for Kafka cannot be read ({type(error).__name__})") from None


async def _printed(command: str) -> str:
    """What the command prints; it runs without a shell."""
    try:
        child = await asyncio.create_subprocess_exec(
            *shlex.split(command), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
    except OSError as error:
        raise NoToken(f"the command for the token for Kafka cannot be run ({error.strerror})") from None
    try:
        printed, _ = await asyncio.wait_for(child.communicate(), TOKEN_SECONDS)
    except TimeoutError:
        child.kill()
        raise NoToken(f"the command for the token for Kafka took longer than {TOKEN_SECONDS:.0f} s") from None
    if child.returncode:
        raise NoToken(f"the command for the token for Kafka ended with {child.returncode}")
    return printed.decode("utf-8", "replace").strip()
