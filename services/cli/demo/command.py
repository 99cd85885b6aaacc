"""The command `tellback demo`: posts the story through the collector and waits until every service has processed it."""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.connection import asking, service_url
from services.cli.console import DataOption, JsonOption, as_json, say
from services.cli.demo.asking import Asked, Asking
from services.cli.demo.desk import Desk
from services.cli.demo.story import HERO, Item, Story, tell
from services.cli.folder import DataFolder
from shared.errors import TellbackError, Unavailable

if TYPE_CHECKING:
    from shared.http.client import Api, ServiceName

PLAYED: "tuple[ServiceName, ...]" = ("collector", "scorer", "alerting")
SECONDS = 60.0
BATCH = 500
WAIT_SECONDS = 60.0


def demo(
    data: DataOption = None,
    seed: Annotated[int, typer.Option(help="Another number plays another year.")] = 7,
    json: JsonOption = False,
) -> None:
    """Play a B2B year through the API: 21 clients in six industries, quarterly answers, falls and recoveries.

    The same day and seed play the same year, so running it twice doubles nothing.
    """
    story = tell(datetime.now(UTC).date(), seed)
    urls = _urls(data)
    detractors, asked = asyncio.run(_play(story, urls, data))
    counts = _counts(story)
    if json:
        as_json({**counts, "detractors": detractors, "link": asked.link, "mailed": asked.mailed})
        return
    said = "{accounts} accounts, {stakeholders} people, {invitation_events} invitation events, {responses} answers"
    say(said.format(**counts) + " posted")
    _invite(urls, detractors, asked)
    if asked.mailed:
        _tell_of_mails(asked.mailed, DataFolder(data))


def _urls(data: Path | None) -> "dict[ServiceName, str]":
    """The addresses of the services that are played to; a deployment may do without outreach."""
    urls = {service: service_url(service, data) for service in PLAYED}
    with contextlib.suppress(Unavailable):
        urls["outreach"] = service_url("outreach", data)
    return urls


async def _play(story: Story, urls: "Mapping[ServiceName, str]", data: Path | None) -> tuple[int, Asked]:
    """Post the story, work on its follow-ups, and ask; returns how many detractors there are then, and who was
    asked."""
    async with asking(urls, data, SECONDS) as api:
        await _post(api, story)
        detractors = await _settled(api, story)
        await Desk(api).live_in(detractors)
        asked = Asked()
        if "outreach" in urls:
            asked = await Asking(api).begin()
    return detractors, asked


async def _post(api: "Api", story: Story) -> None:
    from rich.console import Console
    from rich.progress import track

    requests = list(_requests(story))
    for path, body in track(requests, description="Playing the year", console=Console(stderr=True)):
        answer = await api.post("collector", path, body)
        if answer.get("rejected"):
            raise TellbackError("demo_refused", f"the collector refused a part of {path}: {answer}")


def _counts(story: Story) -> dict[str, int]:
    return {
        "accounts": len(story.accounts),
        "stakeholders": len(story.stakeholders),
        "invitation_events": len(story.invitations),
        "responses": len(story.responses),
    }


def _requests(story: Story) -> Iterator[tuple[str, Any]]:
    """Path and body of each request, the directory first."""
    for part in _slices(story.accounts):
        yield "/v1/directory/batch", {"accounts": part}
    for part in _slices(story.stakeholders):
        yield "/v1/directory/batch", {"stakeholders": part}
    for part in _slices(story.invitations):
        yield "/v1/invitation-events", {"events": part}
    for mark in story.context:
        yield "/v1/context-events", mark
    for part in _slices(sorted(story.responses, key=lambda answer: str(answer["answered_at"]))):
        yield "/v1/responses/batch", {"responses": part}


def _slices(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


async def _settled(api: "Api", story: Story) -> int:
    """Wait until the scorer counts every answer; returns how many detractors there are now."""
    wanted = sum(1 for answer in story.responses if answer["survey_type"] == "nps")
    deadline = time.monotonic() + WAIT_SECONDS
    while (counted := await _counted(api)) < wanted:
        if time.monotonic() > deadline:
            raise Unavailable(
                "scorer_behind", f"the scorer counts {counted} of {wanted} answers: see `tellback doctor`"
            )
        await asyncio.sleep(0.1)
    latest = await api.get("scorer", "/v1/portfolio/score", window="90d")
    return int(latest["groups"][0]["detractor_count"])


async def _counted(api: "Api") -> int:
    """How many answers the scorer counts; 0 while it does not answer."""
    try:
        found = await api.get("scorer", "/v1/portfolio/score", window="all", method="all")
    except Unavailable:
        return 0
    return int(found["groups"][0]["response_count"])


def _invite(urls: "Mapping[ServiceName, str]", detractors: int, asked: Asked) -> None:
    account, person = HERO
    if asked.link is not None:
        say("Mara Lindqvist of Northwind Freight was asked and has not answered. Answer as she would:")
        say(f"  {asked.link}")
    say(f"{detractors} people are detractors now. Look, for example, at:")
    say(f"  {urls['scorer']}/v1/portfolio/score?group_by=industry")
    say(f"  {urls['scorer']}/v1/accounts?sort=nps")
    say(f"  {urls['scorer']}/v1/accounts/{account}/stakeholders/{person}")
    say(f"  {urls['alerting']}/v1/follow-ups?state=open")


def _tell_of_mails(mailed: int, folder: DataFolder) -> None:
    from services.cli.processes import MAIL, log_of

    say(f"A programme asks {mailed} people by mail, within a minute. Read the mails, which stay on this machine, and")
    say("answer by the link in one of them; the account's page shows the answer a moment later:")
    say(f"  {folder.mails}")
    say(f"  {log_of(folder, MAIL)}")
