"""A real Chromium, driven by Playwright: Debian's, so that nothing is downloaded."""

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, async_playwright

CHROMIUM = Path(os.environ.get("TELLBACK_TEST_CHROMIUM", "/usr/bin/chromium"))


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser for the block. Without one the test fails and says what to install."""
    if not CHROMIUM.exists():
        raise AssertionError(f"{CHROMIUM} is missing: `make browser` as root, or install Debian's package chromium")
    async with async_playwright() as playwright:
        # Chromium's sandbox needs user namespaces, which containers often lack; the pages are our own.
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()
