"""The jars of Kafka: fetched once with jgo into this user's cache, each checked against a committed SHA-256.

The lock file names artefacts, sizes and checksums, never a host: they come from Maven Central, or from the mirror that
`TELLBACK_JARS_URL` names.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from services.cli.paths import cache_dir
from services.cli.settings import CliSettings
from shared.errors import TellbackError

LOCK_FILE = Path(__file__).with_name("kafka.lock.json")
PARALLEL_DOWNLOADS = 4
ATTEMPTS = 3
TIMEOUT_SECONDS = 30
_AUTHORITIES = "REQUESTS_CA_BUNDLE"

Advance = Callable[[int], None]


class JarError(TellbackError):
    """A jar could not be fetched, or is not the one that the lock file names."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked artefact; `size` in bytes."""

    coordinates: str
    file: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Lock:
    """The locked version of Kafka and every jar that it needs."""

    kafka: str
    jars: tuple[Jar, ...]

    @classmethod
    def read(cls, path: Path = LOCK_FILE) -> "Lock":
        """The committed lock."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(found["kafka"], tuple(Jar(**jar) for jar in found["jars"]))

    def write(self, path: Path = LOCK_FILE) -> None:
        """Replace the committed lock."""
        text = json.dumps({"kafka": self.kafka, "jars": [asdict(jar) for jar in self.jars]}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")


class Jars:
    """The locked jars in the cache folder."""

    def __init__(self, lock: Lock | None = None, cache: Path | None = None) -> None:
        self.lock = lock or Lock.read()
        self.folder = (cache or cache_dir()) / f"kafka-{self.lock.kafka}"

    def classpath(self) -> str:
        """The value of `java -cp`, in the order of the lock."""
        return os.pathsep.join(str(self.folder / jar.file) for jar in self.lock.jars)

    def wrong(self) -> list[Jar]:
        """The jars that are missing or whose content is not the locked one; reads all jars (0.1 s)."""
        return [jar for jar in self.lock.jars if _sha256(self.folder / jar.file) != jar.sha256]

    def fetch(self, jars: Iterable[Jar], advance: Advance = lambda _: None) -> None:
        """Fetch these jars and move each into the cache once its checksum is right. `advance` is called with the number
        of bytes as they arrive. Raises JarError; jars fetched before it are kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = CliSettings.load()
        with (
            _believing(settings.jars_ca_file),
            TemporaryDirectory(dir=self.folder, prefix="fetch-") as scratch,
        ):
            source = _Maven(Path(scratch), settings.jars_url.rstrip("/"), advance)
            pool = ThreadPoolExecutor(PARALLEL_DOWNLOADS)
            try:
                for jar, path in pool.map(lambda jar: (jar, source.fetch(jar)), jars):
                    path.replace(self.folder / jar.file)
            finally:
                pool.shutdown(cancel_futures=True)


class _Maven:
    """jgo as a library: takes an artefact from the local Maven repository, else from the mirror; without one, from the
    configured repositories."""

    def __init__(self, scratch: Path, mirror: str, advance: Advance) -> None:
        from jgo.config import GlobalSettings
        from jgo.constants import MAVEN_CENTRAL_URL
        from jgo.maven import MavenContext, PythonResolver

        @contextmanager
        def progress(_file: str, _size: int) -> Iterator[Advance]:
            yield advance

        settings = GlobalSettings.load()
        remote = {"central": MAVEN_CENTRAL_URL} | settings.repositories
        if mirror:
            remote = {"mirror": mirror}
        self._mirror = mirror
        self._local = Path(settings.repo_cache)
        self._context = MavenContext(
            resolver=PythonResolver(progress_callback=progress),
            repo_cache=scratch,
            remote_repos=remote,
            timeout=TIMEOUT_SECONDS,
        )

    def fetch(self, jar: Jar) -> Path:
        """The path of our own copy of the jar, with the locked checksum. Raises JarError."""
        group, name, version = jar.coordinates.split(":")
        artifact = self._context.project(group, name).at_version(version).artifact()
        ours = Path(str(artifact.cached_path))
        local = self._local / artifact.component.path_prefix / jar.file
        if _sha256(local) == jar.sha256:
            ours.parent.mkdir(parents=True, exist_ok=True)
            return Path(shutil.copyfile(local, ours))
        for attempt in range(ATTEMPTS):
            ours.unlink(missing_ok=True)
            try:
                artifact.resolve()
            except (OSError, RuntimeError) as error:  # errors of requests are OSErrors
                if attempt == ATTEMPTS - 1:
                    raise _unavailable(jar, error, mirrored=bool(self._mirror)) from error
            if _sha256(ours) == jar.sha256:
                return ours
        raise JarError(
            "jar_checksum", f"{jar.coordinates} came with SHA-256 {_sha256(ours)}, the lock says {jar.sha256}: not used"
        )


@contextmanager
def _believing(ca_file: Path | None) -> Iterator[None]:
    """Let downloads trust these authorities; requests, with which jgo fetches, is told by the environment alone.
    Raises JarError where the file cannot be read."""
    if ca_file is None:
        yield
        return
    if not os.access(ca_file, os.R_OK):
        raise JarError("unreadable_file", f"{ca_file}, which TELLBACK_JARS_CA_FILE names, cannot be read")
    before = os.environ.get(_AUTHORITIES)
    os.environ[_AUTHORITIES] = str(ca_file)
    try:
        yield
    finally:
        del os.environ[_AUTHORITIES]
        if before is not None:
            os.environ[_AUTHORITIES] = before


def _unavailable(jar: Jar, error: Exception, *, mirrored: bool) -> JarError:
    """The error of a download; it names no address, in which a password may stand."""
    kind = type(error).__name__
    if mirrored:
        advice = "The mirror that TELLBACK_JARS_URL names does not give it: check the address"
        if kind == "SSLError":
            advice = (
                "The certificate of the mirror that TELLBACK_JARS_URL names is not trusted: name the file of its "
                "authority in TELLBACK_JARS_CA_FILE"
            )
    else:
        advice = (
            "The first start needs access to Maven Central, later ones do not. Check the network and the proxy "
            "settings, or name a mirror in TELLBACK_JARS_URL"
        )
    return JarError(
        "jar_unavailable",
        f"{jar.coordinates} could not be fetched ({kind}). {advice}, or copy a filled cache folder from another "
        "machine and point TELLBACK_CACHE_DIR at it",
    )


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
