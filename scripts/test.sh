#!/usr/bin/env bash
# Builds what is missing and runs every test: scripts/test.sh [preset] [ctest option...]; release by default.
# Tests that need a TAP device or a network namespace make their own; they need root.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh
preset=${1:-release}
[ "$#" -gt 0 ] && shift
need_packages build test
scripts/check_machine.sh || echo "test.sh: going on; what needs the missing thing fails or is skipped" >&2
scripts/build.sh "$preset"
run=()
[ "$preset" != tsan ] || run=(setarch "$(uname -m)" --addr-no-randomize)  # its shadow wants fixed places
"${run[@]}" ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$(nproc)" "$@"
