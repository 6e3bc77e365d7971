#!/usr/bin/env bash
# Formats every C and C++ file of ours with clang-format; with --check it only says which files differ.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i)
[ "${1:-}" = --check ] && mode=(--dry-run -Werror)
git ls-files -z '*.c' '*.h' '*.cpp' '*.hpp' | xargs -0 clang-format "${mode[@]}"
