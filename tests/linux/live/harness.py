"""Runs the program under real clients and reads what it wrote: report, trace and capture.

Every test runs `wfptap test`, which makes a network namespace of its own; nothing leaves it. A run is bounded by its
--timeout and, should that fail, by the harness, which ends only the process group that it started.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import unittest
from collections import Counter

PROGRAM = os.environ.get("WFPTAP_PROGRAM", "build/release/wfptap")
DRIVERS = pathlib.Path(os.environ.get("WFPTAP_DRIVERS", pathlib.Path(PROGRAM).parent / "drivers"))
EXTRA = os.environ.get("WFPTAP_TEST_OPTIONS", "").split()  # for every run, such as --io-uring=off
SLOW = float(os.environ.get("WFPTAP_TEST_SLOWNESS", "1"))  # sanitizers multiply every time limit
V4, V6 = "10.77.0.2", "fd77::2"
HOST4, HOST6 = "10.77.0.1", "fd77::1"


class Run:
    """What one `wfptap test` left behind."""

    def __init__(self, code, stdout, stderr, folder):
        self.code, self.stdout, self.stderr, self.folder = code, stdout, stderr, folder
        report = folder / "report.json"
        self.report = json.loads(report.read_text()) if report.exists() else None

    @property
    def last_line(self):
        lines = self.stderr.strip().splitlines()
        return lines[-1] if lines else ""

    def trace(self, **wanted):
        """Trace records whose fields have the wanted values."""
        for line in open(self.folder / "trace.jsonl"):
            record = json.loads(line)
            if all(record.get(key) == value for key, value in wanted.items()):
                yield record

    def frames(self):
        return read_pcap(self.folder / "frames.pcap")


class Frame:
    """One captured frame, as far as the tests look: addresses, protocol, ports, TCP flags, payload size."""

    def __init__(self, data):
        self.data, self.protocol, self.flags, self.sport, self.dport, self.payload = data, None, 0, 0, 0, 0
        self.family, self.source, self.destination = None, None, None
        ether_type = struct.unpack_from("!H", data, 12)[0]
        if ether_type == 0x0800:
            size = (data[14] & 15) * 4
            self.family, self.protocol, total = 4, data[23], struct.unpack_from("!H", data, 16)[0]
            self.source, self.destination = data[26:30], data[30:34]
            start, end = 14 + size, 14 + total if total else len(data)
        elif ether_type == 0x86DD:
            self.family, self.protocol, length = 6, data[20], struct.unpack_from("!H", data, 18)[0]
            self.source, self.destination = data[22:38], data[38:54]
            start, end = 54, 54 + length if length else len(data)
        else:
            return
        if self.protocol == 6:
            self.sport, self.dport = struct.unpack_from("!HH", data, start)
            self.flags = data[start + 13]
            self.payload = end - start - (data[start + 12] >> 4) * 4
        elif self.protocol == 17:
            self.sport, self.dport = struct.unpack_from("!HH", data, start)
            self.payload = end - start - 8


def read_pcap(path):
    """The frames of a capture file, little-endian classic pcap with microseconds or nanoseconds."""
    raw = path.read_bytes()
    magic = struct.unpack_from("<I", raw, 0)[0]
    assert magic in (0xA1B2C3D4, 0xA1B23C4D), "not a capture of this machine's byte order"
    at, frames = 24, []
    while at + 16 <= len(raw):
        length = struct.unpack_from("<I", raw, at + 8)[0]
        frames.append(Frame(raw[at + 16:at + 16 + length]))
        at += 16 + length
    return frames


class LiveTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wfptap-live-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def need(self, tool):
        if shutil.which(tool) is None:
            self.skipTest(f"{tool} is not installed")

    def wfptap_test(self, *drivers, command, options=(), timeout=60, expect=None, trace=True, pcap=True, program=PROGRAM):
        """Runs `wfptap test` and returns what it left; `expect` checks the exit code."""
        arguments = [program, "test", *map(str, drivers), "--report", str(self.folder / "report.json"),
                     "--timeout", str(int(timeout * SLOW)), *EXTRA, *options]
        if trace:
            arguments += ["--trace", str(self.folder / "trace.jsonl")]
        if pcap:
            arguments += ["--pcap", str(self.folder / "frames.pcap")]
        process = subprocess.Popen([*arguments, "--", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, cwd=self.folder, start_new_session=True,
                                   stdin=subprocess.DEVNULL, env={**os.environ, "WFPTAP": program})
        try:
            stdout, stderr = process.communicate(timeout=timeout * SLOW + 30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            self.fail(f"no end after {timeout * SLOW + 30} s\n{stderr}")
        run = Run(process.returncode, stdout, stderr, self.folder)
        if expect is not None:
            self.assertEqual(run.code, expect, f"exit code of: {' '.join(arguments)} -- {' '.join(command)}\n"
                                               f"{stdout[-3000:]}\n{stderr[-6000:]}")
        return run

    def assert_nothing_lost(self, run):
        """Every absorbed packet was reinjected and completed, nothing failed, nothing is left, no rule was broken."""
        report = run.report
        self.assertEqual(report["violations"], [], report["violations"])
        injections = report["injections"]
        self.assertEqual(injections["failed"], 0, injections)
        self.assertEqual(injections["accepted"], injections["completed"], injections)
        self.assertEqual(report["packets"]["absorbed_never_reinjected"], 0, report["packets"])
        self.assertEqual({kind: n for kind, n in report["objects"].items() if n}, {}, report["objects"])

    def absorbed_by_layer(self, run):
        return Counter(r["layer"] for r in run.trace() if "absorb" in r["flags"])


class DaemonTest(LiveTest):
    """A test of `wfptap run`, in a namespace of its own."""

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.control = self.folder / "control"
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(str(self.folder / "notify"))
        (self.folder / "notify").chmod(0o777)
        self.notices.settimeout(20 * SLOW)
        self.addCleanup(self.notices.close)

    def start(self, *options, expect_ready=True, wrapper=()):
        self.log = open(self.folder / "log", "w+")
        self.addCleanup(self.log.close)
        daemon = subprocess.Popen(["unshare", "--net", *wrapper, PROGRAM, "run", "--control", str(self.control), *options],
                                  stderr=self.log, stdout=self.log, pass_fds=getattr(self, "pass_fds", ()),
                                  env={**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify")})
        self.addCleanup(lambda: daemon.poll() is None and (daemon.kill(), daemon.wait()))
        if expect_ready:
            self.assertEqual(self.notices.recv(100), b"READY=1\n")
        return daemon

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def inside(self, daemon, *command):
        return subprocess.run(["nsenter", "--net", f"--target={daemon.pid}", *command], capture_output=True, text=True,
                              timeout=30 * SLOW)

    def client(self, *command):
        return subprocess.run([PROGRAM, *command, "--control", str(self.control)], capture_output=True, text=True,
                              timeout=30 * SLOW)


def driver(name):
    """The path of a test driver."""
    return DRIVERS / f"{name}.so"
