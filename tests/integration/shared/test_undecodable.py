"""A record on which our decoder raises an error is kept, and the next release tries it once more."""

from typing import Any

from shared.topics import RESPONSE_RECORDED
from tests.support.consumer import Scene
from tests.support.environment import Environment
from tests.support.polling import eventually


async def test_another_version_tries_once_what_the_decoder_of_the_one_before_stumbled_over(
    environment: Environment,
) -> None:
    async with Scene.of(environment) as scene:
        await scene.send("r1")
        broken = {RESPONSE_RECORDED: stumbles}
        async with scene.running(version="1", plain=broken):
            await scene.until(read=1, new=0, dead=1)
        async with scene.running(version="1"):
            await scene.send("r2")
            await scene.until(read=2, new=1, dead=1)
        async with scene.running(version="2", plain=broken):
            await until_judged_by(scene, "2")
            await scene.until(read=2, new=1, dead=1)
        async with scene.running(version="3"):
            await scene.until(read=2, new=2, dead=0)
        assert await parked(scene) == []


def stumbles(_data: bytes) -> Any:
    raise ZeroDivisionError


async def parked(scene: Scene) -> list[tuple[str, str, str]]:
    async with scene.database.read() as tx:
        rows = await tx.all("select state, reason, version from parked")
    return [(row["state"], row["reason"], row["version"]) for row in rows]


async def until_judged_by(scene: Scene, version: str) -> None:
    async def judged() -> bool:
        assert await parked(scene) == [("dead", "undecodable", version)]
        return True

    await eventually(judged, timeout=20)
