#!/usr/bin/env bash
# The receive memory at full size: a hundred connections that fill it from outside in each way, with and without a driver,
# and a hundred uploads of 10 MB over a lossy link. Prints what each run saw. Root, a quarter of an hour.
# Use: scripts/receive_memory.sh [PRESET]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/build/${1:-release}
live=$PWD/tests/linux/live
export WFPTAP=$build/wfptap

run() {  # DRIVER|- OPTIONS... -- COMMAND...
  local driver=() report output
  [ "$1" = - ] || driver=("$1")
  shift
  report=$(mktemp)
  echo "== ${driver[*]:-no driver}: ${*##*/}"
  output=$("$WFPTAP" test "${driver[@]}" --timeout 1800 --report "$report" --log-level error "$@" 2>/dev/null) || true
  python3 - "$report" "$(date +%s.%N)" <<<"$output" 3<&0 <<'PYTHON' || true
import json, os, sys
seen = json.loads(os.fdopen(3).readline())
report = json.load(open(sys.argv[1]))
if "ended" in seen:
    seen["seconds_to_end"] = round(float(sys.argv[2]) - seen.pop("ended"), 2)
status = seen.pop("status", None)
if status:
    seen["receive"] = {name: use["held"] for name, use in status["memory"]["receive"]["uses"].items()}
    seen["send"] = status["memory"]["send"]["held"]
print(json.dumps(seen))
print("after:", json.dumps(report["memory"]), "violations:", len(report["violations"]))
PYTHON
  rm -f "$report"
}

for driver in - passthrough; do
  run "$driver" -- python3 -B "$live/fill.py" bytes 100 4096
  run "$driver" -- python3 -B "$live/fill.py" large 100 70
  run "$driver" -- python3 -B "$live/fill.py" both 100 1000 keep
  run "$driver" -- python3 -B "$live/fill.py" unread 100 70
done
run - -- python3 -B "$live/fill.py" bytes 9 4096
run - --impair loss=1%,delay=20ms --seed 1 -- python3 -B "$live/uploads.py" 100 10000000
run passthrough --impair loss=1%,delay=20ms --seed 1 -- python3 -B "$live/uploads.py" 20 10000000
