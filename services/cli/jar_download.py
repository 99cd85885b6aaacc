"""The first fetch of Kafka's jars, with its progress on standard error."""

from services.cli.embedded.jars import Jars


def fetch_missing(jars: Jars) -> None:
    """Fetch what the cache does not hold whole; asks nothing of the network when it holds everything."""
    missing = jars.wrong()
    if not missing:
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    total = sum(jar.size for jar in missing)
    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(f"fetching Kafka {jars.lock.kafka}: {len(missing)} jars, {total / 1e6:.0f} MB, only this once")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=not console.is_terminal, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"fetching Kafka {jars.lock.kafka}, only this once", total=total)
        jars.fetch(missing, lambda size: bar.advance(task, size))
