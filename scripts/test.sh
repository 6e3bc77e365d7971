#!/usr/bin/env bash
# Builds what is missing and runs every test: scripts/test.sh [preset] [ctest option...]; release by default.
# Tests that need a TAP device or a network namespace make their own; they need root, or user namespaces.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
[ "$#" -gt 0 ] && shift
scripts/build.sh "$preset"
ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$(nproc)" "$@"
