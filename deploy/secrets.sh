#!/bin/sh
# Prints every secret that docker-compose.yml needs, made at random: (umask 077; set -C; deploy/secrets.sh > .env)
# Passwords are hexadecimal, since they become part of addresses. PostgreSQL takes them when its volume is new.
set -eu

secret() { printf '%s=%s\n' "$1" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"; }

echo "# Encrypts stored secrets, signs links and keys the hashes of erased ids; losing it loses them."
echo "# To change it put the new one in front, NEW,OLD: docs/operations.md"
secret TELLBACK_SECRET_KEY
echo "# The owner of the database, which migrates it, and the role of each service."
secret POSTGRES_PASSWORD
secret COLLECTOR_PASSWORD
secret SCORER_PASSWORD
secret ALERTING_PASSWORD
secret BENCHMARK_PASSWORD
secret OUTREACH_PASSWORD
secret DASHBOARD_PASSWORD
