"""For maintainers: resolve a version of Kafka with jgo and write the lock file anew.

`python -P -m services.cli.embedded.pin` after changing the versions below.
"""

import hashlib
from pathlib import Path

import jgo

from services.cli.embedded.jars import LOCK_FILE, Jar, Lock

KAFKA = "4.1.2"
LOG4J = "2.25.3"
# Resolved one by one: together, the version management of one would override the dependencies of the other.
ENDPOINTS = (
    f"org.apache.kafka:kafka_2.13:{KAFKA}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J}",
)


def pin() -> Lock:
    """Every jar that the endpoints need, with the checksum of what the repository serves now."""
    jars: dict[str, Jar] = {}
    for endpoint in ENDPOINTS:
        for artifact in jgo.resolve(endpoint):
            content = Path(artifact.resolve()).read_bytes()
            jars.setdefault(
                f"{artifact.groupId}:{artifact.artifactId}",
                Jar(
                    f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}",
                    artifact.filename,
                    hashlib.sha256(content).hexdigest(),
                    len(content),
                ),
            )
    return Lock(KAFKA, tuple(sorted(jars.values(), key=lambda jar: jar.coordinates)))


if __name__ == "__main__":
    lock = pin()
    lock.write(LOCK_FILE)
