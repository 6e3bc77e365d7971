#!/usr/bin/env python3
"""Compares what a path costs with what is recorded for it, or records it.

    compare.py COUNTERS --compiler "GNU 12.2.0" PATH...      COUNTERS is the program of this folder
    compare.py COUNTERS --compiler "GNU 12.2.0" --record PATH...

Heap blocks, locks and wake-ups are whole numbers and compared as they are, over all rounds; instructions, counted by
callgrind, may be 3 % more than recorded, and are compared only with a record of the same compiler. Less than recorded is
welcome: it is said, and wants a new record in the same commit. Exit: 0 as recorded or less, 1 more, 77 nothing to compare with.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

RECORD = pathlib.Path(__file__).resolve().parent.parent / "record" / "counters.json"
TOLERANCE = 0.03
# Which memcpy the C library chooses depends on the processor; this one is everywhere.
ENVIRONMENT = {**os.environ, "GLIBC_TUNABLES": "glibc.cpu.x86_data_cache_size=32768:glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM"}


def run(command):
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"failed ({result.returncode}): {' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result


def measure(program, path):
    figures = json.loads(run([program, path]).stdout)
    with tempfile.TemporaryDirectory() as folder:
        traced = run(["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={folder}/out", program, path])
    figures["instructions"] = int(re.search(r"Collected : (\d+)", traced.stderr).group(1))
    return figures


def differences(now, then, is_same_compiler):
    """Lines on what is more, and on what is less."""
    more, less = [], []
    for name in ("allocations", "locks", "wakes", "instructions"):
        if name == "instructions" and not is_same_compiler:
            continue
        allowed = then[name] * (1 + TOLERANCE) if name == "instructions" else then[name]
        line = f"{name}: {now[name]} in {now['rounds']} rounds ({now[name] / now['rounds']:.2f} each), recorded {then[name]}"
        if now[name] > allowed:
            more.append(line)
        elif now[name] < then[name] * (1 - TOLERANCE):
            less.append(line)
    return more, less


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("program")
    options.add_argument("paths", nargs="+")
    options.add_argument("--compiler", required=True)
    options.add_argument("--record", action="store_true")
    chosen = options.parse_args()
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"compiler": chosen.compiler, "paths": {}}
    is_same_compiler = record["compiler"] == chosen.compiler
    code = 0
    for path in chosen.paths:
        now = measure(chosen.program, path)
        if chosen.record:
            record["compiler"] = chosen.compiler
            record["paths"][path] = now
        elif path not in record["paths"]:
            print(f"{path}: nothing is recorded; {now}")
            code = code or 77
            continue
        else:
            more, less = differences(now, record["paths"][path], is_same_compiler)
            for line in less:
                print(f"{path}: less than recorded; record it anew in this commit. {line}")
            for line in more:
                print(f"{path}: MORE than recorded. {line}")
                code = 1
        each = {name: round(now[name] / now["rounds"], 2) for name in now if name != "rounds"}
        print(f"{path}: {now['rounds']} rounds, each {each}" + ("" if is_same_compiler else "; recorded with another compiler"))
    if chosen.record:
        RECORD.write_text(json.dumps(record, indent=1) + "\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
