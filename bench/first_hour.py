"""How long a new admin takes from the first sign-in to the first score, and to undo a file that was the wrong one.

`make bench ARGS="first-hour"`. Real services without any answer, a real Chromium. The admin signs in, brings a file of
SurveyMonkey as its export writes it, and opens the portfolio; then brings a wrong file and undoes it. Printed for each
half is what Tellback takes (pages, reading the file, counting), and what a person takes beside it: their hands by the
keystroke-level model (Card, Moran and Newell 1980: 1.35 s to decide, 1.1 s to point, 0.2 s to click or press a key,
0.4 s to change between mouse and keys), their eyes by the words that the pages show without scrolling and that were not
shown before, at 238 words a minute (Brysbaert 2019): all of them, and the 28 % that a visitor of a page reads at most
(Nielsen 2008, from the visits recorded by Weinreich et al. 2008).
"""

import argparse
import asyncio
import random
import re
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from shared.kafka.connection import KafkaConnection
from tests.browser.dashboard.site import Look, Site, site
from tests.support.browser import chromium
from tests.support.environment import fresh_environment
from tests.support.processes import embedded_kafka, embedded_postgres

DECIDE, POINT, PRESS, CHANGE = 1.35, 1.1, 0.2, 0.4
WORDS_A_SECOND = 238 / 60
READ_BY_VISITORS = 0.28
SHOWN = """() => {
    const page = document.querySelector("[role=dialog]") || document.body;
    const texts = document.createTreeWalker(page, NodeFilter.SHOW_TEXT), range = document.createRange();
    const shown = [];
    while (texts.nextNode()) {
        range.selectNodeContents(texts.currentNode);
        const place = range.getBoundingClientRect();
        if (place.width && place.top < innerHeight) shown.push(texts.currentNode.data.trim());
    }
    return shown;
}"""
HEAD = (
    "Respondent ID,Collector ID,Start Date,End Date,Email Address,Company,"
    "How likely is it that you would recommend us?,What could we do better?\n"
    ",,,,,,Response,Open-Ended Response\n"
)
COMPANIES, PEOPLE = 40, 10
ORDER = "How dates are written"
DONE = "All rows are read, and those that were taken count in the figures."


def main(arguments: Sequence[str]) -> int:
    """Do it, print."""
    parser = argparse.ArgumentParser(prog="bench first-hour", description=__doc__)
    parser.parse_args(arguments)
    with embedded_postgres() as postgres, embedded_kafka() as kafka:
        asyncio.run(_run(kafka, postgres))
    return 0


class Person:
    """Acts on the page, and adds up what a person's hands and eyes would take beside: seconds, acts, words."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seen: set[str] = set()
        self.begin()

    def begin(self) -> None:
        """Count anew; what was read stays read."""
        self.began = time.perf_counter()
        self.hands, self.acts, self.words = 0.0, 0, 0

    async def click(self, target: Locator) -> None:
        """Click on something."""
        self._act(DECIDE + POINT + PRESS)
        await target.click()

    async def choose(self, target: Locator, label: str) -> None:
        """Choose from a list, by the words of the choice."""
        self._act(DECIDE + 2 * (POINT + PRESS))
        await target.select_option(label=label)

    async def write(self, target: Locator, text: str) -> None:
        """Write into a field, and take the mouse again."""
        self._act(DECIDE + POINT + PRESS + 2 * CHANGE + len(text) * PRESS)
        await target.fill(text)

    async def pick(self, target: Locator, file: Path) -> None:
        """Choose a file in the window of the operating system."""
        self._act(DECIDE + 3 * (POINT + PRESS))
        await target.set_input_files(file)

    async def read(self) -> None:
        """Read what the page shows without scrolling, and what was not read before."""
        for text in await self.page.evaluate(SHOWN):
            if text not in self.seen:
                self.seen.add(text)
                self.words += len(text.split())

    def _act(self, seconds: float) -> None:
        self.hands += seconds
        self.acts += 1


async def _run(kafka: KafkaConnection, postgres: str) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        right, wrong = folder / "answers.csv", folder / "other.csv"
        right.write_text(_file(random.Random(1), (0, 6, 7, 8, 9, 9, 10, 10)))
        wrong.write_text(_file(random.Random(2), (0, 1, 2, 3)))
        async with (
            fresh_environment(kafka, postgres) as environment,
            site(environment, folder, demo=False) as where,
            chromium() as browser,
        ):
            page = await (await Look().context(browser)).new_page()
            print(f"{'':40} Tellback    hands  reading all, together   as visitors read, together")
            person = Person(page)
            await _bring_first(person, where, right)
            _print("from the sign-in to the first score", person)
            score = await page.locator(".figure.big .value").inner_text()
            person.begin()
            await person.click(page.get_by_role("link", name="Bring your answers"))
            await _bring(person, wrong)
            _print("a wrong file brought", person)
            person.begin()
            await _undo(person, score)
            _print("the wrong file undone", person)


def _file(chance: random.Random, scores: Sequence[int]) -> str:
    """An export of SurveyMonkey: an answer of each person within the last month."""
    rows = []
    for number in range(COMPANIES * PEOPLE):
        company = f"Company {number % COMPANIES:02}"
        email = f"person.{number}@company{number % COMPANIES:02}.example"
        at = datetime.now(UTC) - timedelta(days=chance.randint(2, 30), minutes=chance.randint(0, 600))
        written = at.strftime("%m/%d/%Y %I:%M:%S %p")
        rows.append(f"{118000 + number},4711,{written},{written},{email},{company},{chance.choice(scores)},Answers\n")
    return HEAD + "".join(rows)


async def _bring_first(person: Person, where: Site, file: Path) -> None:
    page = person.page
    await page.goto(f"{where.url}/login")
    await person.write(page.get_by_label("Name or e-mail"), "admin")
    await person.write(page.get_by_label("Password"), where.password)
    await person.click(page.get_by_role("button", name="Sign in"))
    begin = page.get_by_role("region", name="Begin here")
    await expect(begin).to_be_visible()
    await person.read()
    await person.click(begin.get_by_role("link", name="Bring a file"))
    await _bring(person, file)
    await person.click(page.get_by_role("link", name="Portfolio"))
    await expect(page.locator(".figure.big .value")).to_have_text(re.compile(r"\d"))


async def _bring(person: Person, file: Path) -> None:
    """From the form to the report that says that all rows count."""
    page = person.page
    await expect(page.get_by_label("The file", exact=True)).to_be_visible()
    await person.read()
    await person.pick(page.get_by_label("The file", exact=True), file)
    await person.click(page.get_by_role("button", name="See what it would become"))
    await expect(page.get_by_role("heading", level=1, name="What the file would become")).to_be_visible()
    begin = page.get_by_role("button", name="Bring answers")
    await expect(begin).to_be_visible()
    await person.read()
    order = page.get_by_label(ORDER)
    if await begin.is_disabled():
        options = await order.locator("option").all_inner_texts()
        await person.choose(order, next(option for option in options if _is_american(option)))
    await expect(begin).to_be_enabled()
    await person.click(begin)
    await expect(page.get_by_text(DONE)).to_be_visible()
    await person.read()


def _is_american(option: str) -> bool:
    """Whether the choice reads dates with the month before the day."""
    found = re.match(r"(\d+)/(\d+)/\d+.* is (\d+) ", option)
    return found is not None and int(found[2]) == int(found[3])


async def _undo(person: Person, score: str) -> None:
    """From the report until the portfolio is as it was."""
    page = person.page
    await person.click(page.get_by_role("button", name="Undo this file"))
    await expect(page.get_by_role("dialog")).to_be_visible()
    await person.read()
    await person.click(page.get_by_role("dialog").get_by_role("button", name="Undo it"))
    await expect(page.get_by_text("It was undone: what it had brought counts no longer.")).to_be_visible()
    await person.click(page.get_by_role("link", name="Portfolio"))
    await expect(page.locator(".figure.big .value")).to_have_text(score)


def _print(what: str, person: Person) -> None:
    taken = time.perf_counter() - person.began
    reading = person.words / WORDS_A_SECOND
    reading_less = READ_BY_VISITORS * reading
    print(
        f"{what:40} {taken:6.1f} s {person.hands:6.1f} s"
        f"    {reading:6.1f} s {taken + person.hands + reading:8.1f} s"
        f"       {reading_less:6.1f} s {taken + person.hands + reading_less:8.1f} s"
        f"   ({person.acts} acts, {person.words} words)"
    )
