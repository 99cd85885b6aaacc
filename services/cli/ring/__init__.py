"""`tellback secrets`: what stands under which secret key, a newer key, and the end of an older one."""

from services.cli.ring.command import app

__all__ = ["app"]
