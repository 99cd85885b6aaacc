"""A service that Kafka and PostgreSQL refuse says at its start what an operator has to mend, and goes on once it is."""

from pathlib import Path
from urllib.parse import urlsplit

from services.cli.embedded.process import free_port
from services.cli.processes import asks_ready
from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback

START_SECONDS = 60.0
WRONG = "hunter2"
SAID = (
    "PostgreSQL refuses the connection: password authentication failed for user",
    "Kafka refuses the name or the password of this client",
)


async def test_a_service_says_what_refuses_it_and_goes_on_once_that_is_mended(
    environment: Environment, tmp_path: Path
) -> None:
    parts = urlsplit(environment.database_url)
    password, log, port = tmp_path / "password", tmp_path / "scorer.log", free_port()
    password.write_text(WRONG)
    variables = environment.variables() | {
        "TELLBACK_DATABASE_URL": parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl(),
        "TELLBACK_DATABASE_PASSWORD_FILE": str(password),
        "TELLBACK_KAFKA_SASL_PASSWORD": WRONG,
    }

    async def ready() -> bool:
        return await asks_ready(port)

    process = start(tellback("serve", "scorer", "--port", str(port), "--pause", "0"), log, variables)
    try:
        await eventually(lambda: all(sentence in log.read_text() for sentence in SAID), START_SECONDS)
        assert not await ready()
        password.write_text(parts.password or "")
        await eventually(ready, START_SECONDS)
    finally:
        end(process)
    assert WRONG not in log.read_text()
