"""The command: post the story through the collector, wait until every service has it, say where to look."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.connection import api_key, service_url
from services.cli.console import DataOption, JsonOption, as_json, say
from services.cli.demo.desk import Desk
from services.cli.demo.story import HERO, Item, Story, tell
from shared.errors import TellbackError, Unavailable

if TYPE_CHECKING:
    import httpx

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
    import httpx

    story = tell(datetime.now(UTC).date(), seed)
    headers = {"Authorization": f"Bearer {api_key(data)}"}
    with httpx.Client(headers=headers, timeout=60, trust_env=False) as client:
        _post(client, service_url("collector", data), story)
        detractors = _settled(client, service_url("scorer", data), story)
        Desk(client, service_url("alerting", data), service_url("collector", data)).live_in(detractors)
    counts = _counts(story)
    if json:
        as_json({**counts, "detractors": detractors})
        return
    said = "{accounts} accounts, {stakeholders} people, {invitation_events} invitation events, {responses} answers"
    say(said.format(**counts) + " posted")
    _invite(story, service_url("scorer", data), service_url("alerting", data), detractors)


def _post(client: "httpx.Client", collector: str, story: Story) -> None:
    from rich.console import Console
    from rich.progress import track

    requests = list(_requests(story))
    for path, body in track(requests, description="Playing the year", console=Console(stderr=True)):
        _send(client, collector + path, body)


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


def _send(client: "httpx.Client", url: str, body: Any) -> None:
    import httpx

    try:
        answer = client.post(url, json=body)
    except httpx.HTTPError:
        raise Unavailable("not_reachable", f"{url} does not answer: is `tellback up` running?") from None
    problem = answer.json() if answer.content else {}
    if answer.is_error or problem.get("rejected"):
        raise TellbackError("demo_refused", f"{url} answered {answer.status_code}: {problem.get('detail', problem)}")


def _settled(client: "httpx.Client", scorer: str, story: Story) -> int:
    """Wait until the scorer counts every answer; returns how many detractors there are now."""
    wanted = sum(1 for answer in story.responses if answer["survey_type"] == "nps")
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        answer = client.get(f"{scorer}/v1/portfolio/score", params={"window": "all", "method": "all"})
        counted = answer.json()["groups"][0]["response_count"] if answer.is_success else 0
        if counted >= wanted:
            break
        if time.monotonic() > deadline:
            raise Unavailable(
                "scorer_behind", f"the scorer counts {counted} of {wanted} answers: see `tellback doctor`"
            )
        time.sleep(0.1)
    latest = client.get(f"{scorer}/v1/portfolio/score", params={"window": "90d"}).json()["groups"][0]
    return int(latest["detractor_count"])


def _invite(story: Story, scorer: str, alerting: str, detractors: int) -> None:
    account, person = HERO
    say(f"{detractors} people are detractors now. Look, for example, at:")
    say(f"  {scorer}/v1/portfolio/score?group_by=industry")
    say(f"  {scorer}/v1/accounts?sort=nps")
    say(f"  {scorer}/v1/accounts/{account}/stakeholders/{person}")
    say(f"  {alerting}/v1/follow-ups?state=open")
