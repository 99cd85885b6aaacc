"""`tellback demo`: a B2B year of a supplier with accounts in six industries, played through the public API."""

from services.cli.demo.command import demo

__all__ = ["demo"]
