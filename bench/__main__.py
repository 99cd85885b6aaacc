"""`python -m bench NAME [options]`: run one benchmark."""

import sys

from bench import (
    asking,
    collector,
    dashboard,
    first_hour,
    freshness,
    growth,
    imports,
    live,
    open_pages,
    pages,
    reads,
    restore,
    webhooks,
)
from bench.scorer import fold

BENCHMARKS = {
    "asking": asking.main,
    "collector": collector.main,
    "dashboard": dashboard.main,
    "first-hour": first_hour.main,
    "freshness": freshness.main,
    "growth": growth.main,
    "imports": imports.main,
    "live": live.main,
    "open-pages": open_pages.main,
    "pages": pages.main,
    "reads": reads.main,
    "restore": restore.main,
    "scorer": fold.main,
    "webhooks": webhooks.main,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        sys.exit(f"usage: python -m bench {{{','.join(BENCHMARKS)}}} [options]")
    sys.exit(BENCHMARKS[sys.argv[1]](sys.argv[2:]))
