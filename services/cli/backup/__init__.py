"""`tellback backup` and `tellback restore`: an installation as a folder of files, and an installation from it."""

from services.cli.backup.command import app

__all__ = ["app"]
