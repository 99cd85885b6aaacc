"""What is wrong with a page as one sees it: its picture is kept, and its faults are said."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, Page

from tests.browser.dashboard.site import PICTURES, Look

LOOKS = {
    "wide-light": Look(1280, "light"), "narrow-dark": Look(390, "dark"),
    "wide-dark": Look(1280, "dark"), "narrow-light": Look(390, "light"),
}  # fmt: skip
BAD = ("serious", "critical")
SIDEWAYS = """narrow => [...document.querySelectorAll("body *")].filter(part => {
  const strip = narrow && part.matches("nav");
  const scrolls = ["auto", "scroll"].includes(getComputedStyle(part).overflowX) && !part.closest(".ag");
  return scrolls && !strip && part.scrollWidth > part.clientWidth + 1;
}).map(part => `${part.tagName.toLowerCase()}.${part.className}: ${part.innerText.slice(0, 60)}`)"""
"""The parts that one has to scroll sideways to see whole. The table of all accounts may be, and on a narrow screen the
navigation."""
NARROW = 700


def errors_of(page: Page) -> list[str]:
    """A list to which the errors of the page's scripts and of its console are added as they come."""
    errors: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        if said.type == "error":
            errors.append(f"{said.text} ({said.location.get('url', '')})")

    page.on("console", hear)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


async def faults(page: Page, name: str, look: str, *, whole: bool = True) -> list[str]:
    """The faults of a page: findings of axe-core, content wider than the window, parts that could not be loaded, parts
    to be scrolled sideways, no title of its own, more or less than one heading of the first level."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=str(PICTURES / f"{name}-{look}.png"), full_page=whole)
    result = await Axe().run(page)
    wrong = [
        f"{violation['id']}: {violation['help']}: {violation['nodes'][0]['html'][:160]}"
        for violation in result.response["violations"]
        if violation["impact"] in BAD
    ]
    if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        wrong.append("wider than the window")
    wrong += [f"scrolls sideways: {part}" for part in await page.evaluate(SIDEWAYS, LOOKS[look].width < NARROW)]
    if (await page.title()).removesuffix("Tellback").strip(" –") == "":
        wrong.append("without a title")
    headings = await page.locator("h1:visible").count()
    if headings != 1:
        wrong.append(f"{headings} headings of the first level")
    wrong += [await notice.inner_text() for notice in await page.locator("main .notice.bad:visible").all()]
    return wrong
