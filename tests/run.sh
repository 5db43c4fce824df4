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

step 'tests'
# One run of the runner over everything, so that its own summary is the last thing that is said.
if cargo nextest --version >/dev/null 2>&1; then
    cargo test --workspace --doc --locked --quiet
    cargo nextest run --workspace --locked
else
    cargo test --workspace --locked
fi
