#!/usr/bin/env python3
"""The steps of scripts/demo.sh: each runs `wfptap test` and shows what the layers saw. Usage: demo_steps.py PROGRAM"""
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
V4, V6 = "10.77.0.2", "fd77::2"
checks = []


def check(what, held):
    checks.append((what, held))
    print(f"  {'ok  ' if held else 'FAIL'}  {what}")


class Run:
    """One `wfptap test` with its report and its trace."""

    def __init__(self, title, mode, command, shown=None):
        print(f"\n== {title}")
        print(f"   $ wfptap test passthrough --param passthrough:mode={mode} -- {shown or 'sh -c ' + shlex.quote(command)}")
        with tempfile.TemporaryDirectory() as folder:
            report, trace = pathlib.Path(folder, "report.json"), pathlib.Path(folder, "trace.jsonl")
            done = subprocess.run([PROGRAM, "test", "passthrough", "--param", f"passthrough:mode={mode}", "--timeout", "60",
                                   "--report", report, "--trace", trace, "--", "sh", "-c", command],
                                  capture_output=True, text=True)
            self.code, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
            if not report.exists():
                sys.exit(f"wfptap could not run:\n{done.stderr}")
            self.report = json.loads(report.read_text())
            self.records = [json.loads(line) for line in trace.open()]

    def show_layers(self):
        print(f"   {'layer':46}{'classified':>11}{'permitted':>11}{'absorbed':>10}{'blocked':>9}")
        for layer, counts in self.report["layers"].items():
            if counts["classified"]:
                print(f"   {layer.removeprefix('FWPS_LAYER_'):46}{counts['classified']:11}{counts['permitted']:11}"
                      f"{counts['absorbed']:10}{counts['blocked']:9}")
        i = self.report["injections"]
        absorbed = sum(counts["absorbed"] for counts in self.report["layers"].values())
        print(f"   absorbed {absorbed}; cloned and reinjected {i['accepted']}, completed {i['completed']}, failed {i['failed']}; "
              f"never reinjected {self.report['packets']['absorbed_never_reinjected']};\n"
              f"   objects alive after the driver was unloaded {sum(self.report['objects'].values())}; "
              f"verifier rules broken {len(self.report['violations'])}")

    def nothing_lost(self):
        i = self.report["injections"]
        absorbed = sum(counts["absorbed"] for counts in self.report["layers"].values())
        return (i["failed"] == 0 and absorbed == i["accepted"] == i["completed"] and not self.report["violations"]
                and not sum(self.report["objects"].values()))

    def find(self, layer, test):
        return [r for r in self.records if r["layer"] == layer and test(r)]


def show_metadata(title, record):
    source, target = record["local"], record["remote"]
    if record["direction"] == "inbound":
        source, target = target, source
    print(f"   {title}: {source} > {target}, origin {record['origin']}, its metadata as the callout sees it:")
    for member, value in record["metadata"].items():
        print(f"      {member:26} {value}")


def traffic():
    run = Run("Everyday traffic through a robust passthrough: curl, nping and ping, IPv4 and IPv6", "robust",
              f"curl -sf http://{V4}/bytes/10000000 | wc -c && curl -sf 'http://[{V6}]/bytes/10000000' | wc -c && "
              f"nping --tcp -p 80 -c 3 --rate 10 {V4} && nping --udp -p 7 -c 3 --rate 10 {V4} && "
              f"ping -c 3 -i 0.2 {V4} && ping -c 3 -i 0.2 {V6}")
    run.show_layers()
    check("curl got 10,000,000 bytes over IPv4 and over IPv6", run.stdout.split()[:2] == ["10000000"] * 2)
    check("every probe of nping and ping was answered",
          run.code == 0 and run.stdout.count("Rcvd: 3") == 2 and run.stdout.count(" 0% packet loss") == 2)
    check("absorbed = reinjected = completed, nothing lost, nothing left", run.nothing_lost())


QUIET = "sysctl -qw net.ipv4.tcp_timestamps=0; "


def reset(mode, expect, meaning):
    run = Run(f"Awkward packet 1, the RST of segment matching, mode={mode}", mode,
              f"{QUIET}curl -s --connect-timeout 4 http://{V4}:4444")
    records = run.find("FWPS_LAYER_OUTBOUND_TRANSPORT_V4", lambda r: r["origin"] == "tcp.reset")
    if records and mode == "naive":
        show_metadata("the RST", records[0])
    check(f"{mode}: curl exits {expect} ({meaning}), it exited {run.code}", run.code == expect)
    check("0x8cc0: the endpoint handle is present and zero",
          bool(records) and int(records[0]["metadata"]["currentMetadataValues"], 16) == 0x8CC0
          and int(str(records[0]["metadata"]["transportEndpointHandle"]), 0) == 0)
    failed = run.report["injections"]["failed"]
    check(f"{mode}: {'an injection completes with an error' if mode == 'naive' else 'nothing is lost'} ({failed} failed)",
          failed > 0 if mode == "naive" else run.nothing_lost())


CLIENT = ("import socket,subprocess,time; s=socket.create_connection(('%s',80)); "
          "s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')\n"
          "while s.recv(65536): pass\n"
          "time.sleep(.3); p=s.getsockname()[1]; s.close(); time.sleep(1)\n"
          "print(subprocess.run(['ss','-Htan','sport = :%%d' %% p],capture_output=True,text=True).stdout)" % V4)


def time_wait(mode):
    run = Run(f"Awkward packets 2 and 3, TIME-WAIT after the stack closed first, mode={mode}", mode,
              f"{QUIET}python3 -c \"{CLIENT}\"",
              shown="(a client that reads a page until the stack closes, closes 0.3 s later, and asks ss for its socket)")
    inbound = run.find("FWPS_LAYER_INBOUND_TRANSPORT_V4",
                       lambda r: int(r["metadata"]["currentMetadataValues"], 16) == 0xC84)
    outbound = run.find("FWPS_LAYER_OUTBOUND_TRANSPORT_V4", lambda r: r["origin"] == "tcp.time_wait")
    if mode == "naive" and inbound and outbound:
        show_metadata("the segment received in TIME-WAIT", inbound[0])
        show_metadata("the ACK of the peer's FIN", outbound[0])
    check("inbound 0xc84 and outbound 0x8cc0 were classified", bool(inbound) and bool(outbound) and all(
        int(r["metadata"]["currentMetadataValues"], 16) == 0x8CC0 for r in outbound))
    stuck = "LAST-ACK" in run.stdout
    check(f"{mode}: the kernel's socket {'stays in LAST-ACK' if mode == 'naive' else 'is gone within a second'}",
          stuck if mode == "naive" else not stuck)


INTRODUCTION = """\
A callout driver, passthrough, is loaded into a TCP/IP stack of our own (10.77.0.2, fd77::2) on a TAP device. It takes every TCP and
UDP packet away from the stack (absorbed) and gives a clone of it back (reinjected). The clients are the kernel's: curl, nping, ping.
First ordinary traffic, then three packets that no endpoint stands behind, on which drivers in the field fail: mode=naive handles them
as those drivers do, mode=robust as one should."""

print(INTRODUCTION)
traffic()
for mode, code, meaning in (("naive", 28, "timed out"), ("robust", 7, "refused at once")):
    reset(mode, code, meaning)
for mode in ("naive", "robust"):
    time_wait(mode)
failures = [what for what, held in checks if not held]
print(f"\n{'All' if not failures else len(failures)} {'of ' if failures else ''}{len(checks)} "
      f"{'checks failed: ' + '; '.join(failures) if failures else 'checks held.'}")
sys.exit(1 if failures else 0)
