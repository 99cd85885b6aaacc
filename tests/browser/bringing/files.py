"""Steps of the tests that bring files."""

from pathlib import Path

from playwright.async_api import Locator, Page, expect


async def upload(page: Page, name: str, content: str | bytes, kind: str = "Answers") -> None:
    """Choose a file on the page that brings files, and send it."""
    if isinstance(content, str):
        content = content.encode()
    await page.get_by_label("What its rows are").select_option(label=kind)
    await page.get_by_label("The file", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )
    await page.get_by_role("button", name="See what it would become").click()


async def bring(page: Page, path: Path) -> None:
    """Send a file of this machine, and wait for the page that shows what it would become."""
    await upload(page, path.name, path.read_bytes())
    await expect(page.get_by_role("heading", level=1, name="What the file would become")).to_be_visible()


async def said(page: Page) -> str:
    """What the page that brings files says about the upload; empty on other pages."""
    return " ".join(await page.locator("[data-said]").all_inner_texts())


async def counted(page: Page) -> dict[str, str]:
    """The numbers of rows on the page of a report, by their names."""
    figures = page.get_by_role("region", name="What became of its rows").locator(".figure")
    found = {}
    for figure in await figures.all():
        found[await figure.locator(".name").inner_text()] = await figure.locator(".value").inner_text()
    return found


async def rows_of(table: Locator, count: int) -> list[list[str]]:
    """The first six cells of the rows of a table, when it has so many rows."""
    await expect(table.locator("tbody tr")).to_have_count(count)
    return [(await row.locator("td").all_inner_texts())[:6] for row in await table.locator("tbody tr").all()]
