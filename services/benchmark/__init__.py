"""Tells where an account and an industry stand: against their own past first, then against published benchmarks."""

from shared.topics import ACCOUNT_SCORES, DIRECTORY

READS = (ACCOUNT_SCORES, DIRECTORY)
EMITS = ()
SERVES = "the benchmark API: sets, comparisons, cohorts, funnel, maturity, review packs"
OWNS = "benchmark sets, snapshots of accounts, assessments"
SCHEMA = "benchmark"
