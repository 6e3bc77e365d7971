#!/usr/bin/env python3
"""Bulk both ways, request/response and connections: this stack on its TAP against the least that could answer there, in one run.

    bench/flow/run.py [--rounds N] [--seconds S] [--queues N] [--build build/release] [--record FILE]
    bench/flow/run.py --print FILE        the table of a recorded run, as it stands in README.md

The yardstick is a ceiling: bench/ceiling keeps the kernel's client going with the least work that a program on a TAP can do, and
is no stack. The kernel over veth stands beside it as context. Interleaved rounds (ceiling, stack, stack with the robust
passthrough, veth, ceiling, ...), medians, ratios: machines are noisy, so only the ratios last. Both ends of the kernel's TCP use
cubic. Client and server are pinned to one processor each. All traffic stays in network namespaces made here.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COLUMNS = [("send", "client sends, Gbit/s", 0, True), ("receive", "client receives, Gbit/s", 0, True),
           ("round-trip", "1-byte round trip p50, µs", 0, False), ("round-trip-99", "p99, µs", 1, False),
           ("connections", "connect-request-close /s", 0, True)]
MEASURES = ["send", "receive", "round-trip", "connections"]
PIN = ["taskset", "-c"]
CEILING = "ceiling on the TAP"


def script(peer, address, seconds):
    return "; ".join(f"taskset -c 0 {peer} {m} {address} {seconds}" for m in MEASURES)


def parse(output):
    lines = [[float(x) for x in line.split()] for line in output.split("\n") if line]
    return {"send": lines[0][0], "receive": lines[1][0], "round-trip": lines[2][0], "round-trip-99": lines[2][1],
            "connections": lines[3][0]}


def over_veth(peer, seconds):
    """Kernel to kernel between two namespaces joined by veth, server on processor 1."""
    setup = f"""
      ip link set lo up; ip netns add b{os.getpid()}; trap 'kill $server; ip netns del b{os.getpid()}' EXIT
      ip link add v0 type veth peer name v1 netns b{os.getpid()}
      ip addr add 10.77.0.1/24 dev v0; ip link set v0 up
      ip -n b{os.getpid()} addr add 10.77.0.2/24 dev v1; ip -n b{os.getpid()} link set v1 up
      ip netns exec b{os.getpid()} taskset -c 1 {peer} serve & server=$!
      sleep 0.5; {script(peer, "10.77.0.2", seconds)}"""
    return run(["unshare", "--net", "--mount", "bash", "-c", setup], seconds)


def over_ceiling(ceiling, peer, seconds):
    """The kernel's client against the program that only answers, pinned as the stack is."""
    setup = f"""
      ip link set lo up; taskset -c 1 {ceiling} ceil0 & server=$!; trap 'kill $server' EXIT
      for i in $(seq 50); do ip link show ceil0 >/dev/null 2>&1 && break; sleep 0.1; done
      ip addr add 10.77.0.1/24 dev ceil0; ip link set ceil0 up
      ip neigh replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev ceil0 nud permanent
      sleep 0.5; {script(peer, "10.77.0.2", seconds)}"""
    return run(["unshare", "--net", "bash", "-c", setup], seconds)


def over_tap(program, peer, seconds, queues, *options):
    command = [*PIN, "1", str(program), "test", "--queues", str(queues), *options, "--", "sh", "-c", script(peer, "10.77.0.2", seconds)]
    return run(command, seconds)


def run(command, seconds):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        out, err = process.communicate(timeout=60 + 8 * seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    if process.returncode != 0:
        sys.exit(f"failed ({process.returncode}): {' '.join(map(str, command))}\n{out}\n{err}")
    return parse(out)


def machine():
    """One line on where a record comes from, without the machine's name."""
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors, {model}, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def commit():
    """The commit, with a mark when the tree differs from it."""
    return subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], cwd=ROOT,
                          capture_output=True, text=True).stdout.strip()


def table(record):
    medians = {name: {key: statistics.median(r[key] for r in rounds) for key, *_ in COLUMNS}
               for name, rounds in record["results"].items()}
    reference = medians[CEILING]
    lines = ["| | " + " | ".join(title for _, title, *_ in COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, figures in medians.items():
        cells = []
        for key, _, _, more_is_better in COLUMNS:
            ratio = figures[key] / reference[key] if more_is_better else reference[key] / figures[key]
            cells.append(f"{figures[key]:,.5g}" + (f" ({ratio:.2f})" if figures is not reference else ""))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    rounds = len(record["results"][CEILING])
    return "\n".join([*lines, "", f"`{record['command']}`, commit {record['commit']}, {record['machine']}; medians of {rounds} "
                      f"interleaved rounds; the kernel's sockets use {record['congestion']}; in brackets the ratio to the ceiling, "
                      "1 is the ceiling itself"])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=2)
    options.add_argument("--queues", type=int, default=1)
    options.add_argument("--build", default="build/release")
    options.add_argument("--record", type=pathlib.Path)
    options.add_argument("--print", type=pathlib.Path)
    chosen = options.parse_args()
    if chosen.print:
        print(table(json.loads(chosen.print.read_text())))
        return
    build = ROOT / chosen.build
    peer, ceiling, program = build / "bench/peer", build / "bench/ceiling_peer", build / "wfptap"
    for needed in (peer, ceiling, program):
        if not needed.exists():
            sys.exit(f"{needed} is missing: run scripts/build.sh release first")
    if os.geteuid() != 0 or os.cpu_count() < 2:
        sys.exit("this needs root, for network namespaces, and two processors, one for each side")
    queues = chosen.queues
    subjects = {
        CEILING: lambda: over_ceiling(ceiling, peer, chosen.seconds),
        f"wfptap --queues {queues}": lambda: over_tap(program, peer, chosen.seconds, queues),
        f"wfptap --queues {queues}, passthrough robust": lambda: over_tap(
            program, peer, chosen.seconds, queues, "passthrough", "--param", "passthrough:mode=robust"),
        "kernel over veth": lambda: over_veth(peer, chosen.seconds),
    }
    congestion = subprocess.run([peer, "congestion"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"congestion control of the kernel's sockets: {congestion}")
    record = {"date": datetime.date.today().isoformat(), "machine": machine(), "commit": commit(),
              "command": " ".join(["bench/flow/run.py", *sys.argv[1:]]), "congestion": congestion,
              "results": {name: [] for name in subjects}}
    for _ in range(chosen.rounds):
        for name, measure in subjects.items():
            record["results"][name].append(measure())
    print(table(record))
    if chosen.record:
        chosen.record.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
