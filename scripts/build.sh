#!/usr/bin/env bash
# Builds into build/<preset>/: scripts/build.sh [release|dev|asan|tsan] [target...]; release by default.
# `tsan` is the clang build, the others are gcc's.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh

preset=${1:-release}
[ "$#" -gt 0 ] && shift
case "$preset" in
  tsan) need_packages build clang ;;
  release | dev | asan) need_packages build ;;
  *) echo "build.sh: '$preset' is no preset; there are release, dev, asan and tsan" >&2; exit 2 ;;
esac

export CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
said=$(cmake --preset "$preset" 2>&1) || { echo "$said"; exit 1; }
cmake --build "build/$preset" -- "$@"
