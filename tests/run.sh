#!/usr/bin/env bash
# Checks everything, from a fresh machine with Rust on it: format, lints, documentation, all tests.
# The services that the tests need are started, and installed where they are missing: see services.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$1"; }

step 'format'
cargo fmt --all --check

step 'lints'
cargo clippy --workspace --all-targets --locked -- -D warnings

step 'documentation'
RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet

step 'services'
tests/services.sh

# The tests of the suite that work on a ledger wherever they are told; those of outages make servers of their own.
readonly ON_SERVERS='binary(suite) and not test(/^(cli|amqp|outage|tidy)::/)'

on_server() {
    step "tests on $1"
    export POINTGATE_TEST_DATABASE=$2
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace --locked -E "$ON_SERVERS"
    else
        cargo test --locked --test suite -- --skip cli:: --skip amqp:: --skip outage:: --skip tidy::
    fi
    unset POINTGATE_TEST_DATABASE
}

on_server PostgreSQL postgres://pointgate_test:pointgate_test@127.0.0.1:5432
on_server MariaDB mysql://pointgate_test:pointgate_test@127.0.0.1:3306

step 'tests on SQLite'
# One run of the runner over everything, so that its own summary is the last thing that is said.
if cargo nextest --version >/dev/null 2>&1; then
    cargo test --workspace --doc --locked --quiet
    cargo nextest run --workspace --locked
else
    cargo test --workspace --locked
fi
