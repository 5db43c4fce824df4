#!/usr/bin/env bash
# Checks everything, from a fresh machine with Rust on it: format, lints, documentation, dependencies, all tests on three databases
# and a broker. What it needs is installed where it is missing: cargo-deny, and the packages that with_servers.sh names.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$1"; }

checks() {
    step 'format'
    cargo fmt --all --check

    step 'lints'
    cargo clippy --workspace --all-targets --locked -- -D warnings

    step 'documentation'
    # There are no examples. Asked for them, cargo takes the features that the lints took, and need not check every crate again.
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --lib --examples --locked --quiet

    step 'dependencies'
    if ! cargo deny --version 2>/dev/null; then
        echo 'installing cargo-deny'
        # Optimising it would take several times as long, and save a second of each run.
        cargo install cargo-deny@0.20.2 --locked --debug --quiet
    fi
    local deny=(cargo deny --config .config/deny.toml --workspace --locked) advisories=()
    if "${deny[@]}" fetch db >/dev/null 2>&1; then
        advisories=(advisories)
    else
        echo 'SKIPPED: known vulnerabilities, since the advisory database cannot be fetched; to check them where it can be:'
        echo "${deny[*]} check advisories"
    fi
    "${deny[@]}" check bans licenses sources "${advisories[@]}"
}

# The tests of the suite that work on the one database which POINTGATE_TEST_DATABASE names.
readonly ON_ANY_DATABASE='binary(suite) and not test(/^(cli|broker|docs|outage|servers|tidy|ledger::database)::/)'

on_server() {
    step "tests on $1"
    export POINTGATE_TEST_DATABASE=$2
    if [ -n "$nextest" ]; then
        cargo nextest run --profile complete --workspace --locked --test-threads "$threads" -E "$ON_ANY_DATABASE"
    else
        cargo test --locked --test suite -- --skip cli:: --skip broker:: --skip docs:: --skip outage:: --skip servers:: --skip tidy:: \
            --skip ledger::database::
    fi
    unset POINTGATE_TEST_DATABASE
}

# Under with_servers.sh.
tests() {
    local nextest threads
    nextest=$(cargo nextest --version 2>/dev/null || true)
    # Most tests wait more than they compute: for a program to start, for a database, for a lock to time out.
    threads=$((3 * $(nproc)))
    export RUST_TEST_THREADS=$threads

    on_server PostgreSQL "$POINTGATE_TEST_POSTGRES"
    on_server MariaDB "$POINTGATE_TEST_MARIADB"

    step 'tests on SQLite, and those that need servers'
    # One run of the runner over everything, so that its own summary is the last thing that is said.
    if [ -n "$nextest" ]; then
        cargo test --workspace --doc --locked --quiet
        cargo nextest run --profile complete --workspace --locked --test-threads "$threads" --run-ignored all
    else
        cargo test --workspace --locked -- --include-ignored
    fi
}

case "${1:-}" in
    '')
        checks
        exec tests/with_servers.sh "$0" tests
        ;;
    tests) tests ;;
    *)
        echo "usage: $0" >&2
        exit 2
        ;;
esac
