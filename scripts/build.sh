#!/usr/bin/env bash
# Builds into build/<preset>/: scripts/build.sh [release|dev|asan|tsan|clang] [target...]; release by default.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh

preset=${1:-release}
[ "$#" -gt 0 ] && shift
need_packages build test
case "$preset" in
  clang) need_packages clang ;;
esac

export CCACHE_NOHASHDIR=1
cmake --preset "$preset" >"build-$preset.log" 2>&1 || { cat "build-$preset.log"; rm -f "build-$preset.log"; exit 1; }
rm -f "build-$preset.log"
cmake --build "build/$preset" -- "$@"
