"""HTTP in: benchmarks, comparisons, cohorts, the funnel, maturity and reviews."""

from services.benchmark.api import cohorts, comparisons, funnel, maturity, reviews, sets

ROUTERS = (sets.router, comparisons.router, cohorts.router, funnel.router, maturity.router, reviews.router)
"""All routes of the benchmark API, for app.py."""
