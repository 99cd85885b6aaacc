"""Builds the image without an engine or a registry: buildah in a chroot, on Debian in the place of the base."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.tree import ROOT

BASE = "docker.io/library/python:3.11-slim"
"""What deploy/Dockerfile begins with. Bookworm has Python 3.11 as well; what is built here stays in buildah's store."""
GIVEN = "TELLBACK_TEST_IMAGE"
"""The environment may name an image in buildah's store that is taken as it is."""
TOOLS = ("buildah", "debootstrap", "unshare", "setpriv", "ip")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def why_not() -> str:
    """Why images cannot be built here; empty where they can."""
    if os.geteuid() != 0:
        return "only root can build an image in a chroot"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (apt-get install buildah debootstrap iproute2)"
    return ""


@dataclass(frozen=True, slots=True)
class Image:
    """A built image, whose files are at `root`; what it says of its processes."""

    root: Path
    environment: Mapping[str, str]
    entrypoint: tuple[str, ...]
    folder: str
    user: str


@contextlib.contextmanager
def built(tag: str, folder: Path) -> Iterator[Image]:
    """The image of deploy/Dockerfile, unless the environment names one; `folder` is for what is needed meanwhile."""
    if given := os.environ.get(GIVEN):
        tag = given
    else:
        _build(tag, folder)
    said = json.loads(buildah("inspect", "--type", "image", tag))["OCIv1"]["config"]
    container = buildah("from", "--pull-never", tag)
    try:
        yield Image(
            root=Path(buildah("mount", container)),
            environment=dict(variable.split("=", 1) for variable in said["Env"]),
            entrypoint=tuple(said["Entrypoint"]),
            folder=said["WorkingDir"],
            user=said["User"],
        )
    finally:
        buildah("umount", container)
        buildah("rm", container)


def _build(tag: str, folder: Path) -> None:
    if not buildah("images", "--quiet", "--filter", f"reference={BASE}"):
        _make_base(folder)
    pip = folder / "pip.conf"
    pip.write_text(_pip_settings())
    mounts = (f"--volume={pip}:/etc/pip.conf:ro", f"--volume={CERTIFICATES}:{CERTIFICATES}:ro")
    buildah("bud", "--pull-never", "--layers", *mounts, "-f", "deploy/Dockerfile", "-t", tag, ".")


def buildah(*words: str) -> str:
    """What buildah prints. Raises CalledProcessError; its log goes to that of the test."""
    argv = ("buildah", words[0], *words[1:])
    done = subprocess.run(
        argv, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"BUILDAH_ISOLATION": "chroot"}
    )
    return done.stdout.strip()


def _make_base(folder: Path) -> None:
    """Debian with Python, under the name of the base."""
    files = folder / "base"
    subprocess.run(
        ("debootstrap", "--variant=minbase", "--include=python3,python3-venv", "bookworm", str(files)), check=True
    )
    (files / "usr" / "bin" / "python").symlink_to("python3")
    container = buildah("from", "scratch")
    buildah("copy", "--quiet", container, str(files), "/")
    buildah("commit", "--quiet", container, BASE)
    buildah("rm", container)
    shutil.rmtree(files)


def _pip_settings() -> str:
    """What pip is told on this machine of where packages are, for the pip of the build."""
    lines = ["[global]", f"cert = {CERTIFICATES}"]
    for name in ("index-url", "extra-index-url"):
        if value := os.environ.get(f"PIP_{name.replace('-', '_').upper()}"):
            lines.append(f"{name} = {value}")
    return "\n".join(lines) + "\n"
