#!/usr/bin/env bash
# The main job, shown: installs what is missing, builds, and drives the passthrough callout driver with real curl, nping and
# ping over IPv4 and IPv6 in a network namespace of its own. Ends with one line that says whether all held.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh
need_packages build demo
scripts/check_machine.sh
scripts/build.sh release wfptap drivers | tail -n 1
exec python3 scripts/demo_steps.py build/release/wfptap
