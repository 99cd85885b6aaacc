"""What some tests need of the machine, beside what every test does: without it they are skipped, with the reason."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def needs_root() -> None:
    """Skip the test unless root runs it."""
    if os.geteuid() != 0:
        pytest.skip("only root may become another user")


def needs_mounts(folder: Path) -> None:
    """Skip the test unless root runs it and may mount file systems, which in a container it often may not."""
    needs_root()
    probe = folder / "probe"
    probe.mkdir(parents=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", probe], check=False, capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"no file system may be mounted here: {done.stderr.decode().strip()}")
    subprocess.run(["umount", "--lazy", probe], check=True)


def needs_program(name: str, package: str) -> str:
    """The path of a program; skip the test where it is not installed. `package`: Debian's, which has it."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return path


def needs(why_not: str) -> pytest.MarkDecorator:
    """The mark of tests that need what `why_not` says is missing; it is empty where all is there."""
    return pytest.mark.skipif(bool(why_not), reason=why_not)


def needs_commit(folder: Path, commit: str) -> None:
    """Skip the test where the folder is no clone whose history has this commit."""
    found = subprocess.run(
        ("git", "-C", str(folder), "cat-file", "-e", f"{commit}^{{commit}}"), capture_output=True, check=False
    )
    if found.returncode != 0:
        pytest.skip(f"this clone lacks the commit {commit[:8]}: git fetch --unshallow")
