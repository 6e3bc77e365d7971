"""Drivers that end the program or do not come back: what is said, by whom it was, and that a report is written."""
import json
import os
import signal
import subprocess
import time
import unittest

from harness import DRIVERS, EXTRA, PROGRAM, SLOW, V4, LiveTest

CURL = ["curl", "-s", "-m", "20", "-o", "/dev/null", f"http://{V4}/"]


class BadEnd(LiveTest):
    """One driver, bad_end, which is told how to end and where."""

    def ends(self, how, where, *options, command=CURL):
        return self.wfptap_test(DRIVERS / "bad_end.so", command=command, expect=3, trace=False, pcap=False,
                                options=["--param", f"bad_end:how={how}", "--param", f"bad_end:where={where}", *options])

    def assert_bug_check(self, run, *said):
        self.assertEqual(run.last_line, "wfptap: exit reason=fault code=3")
        self.assertEqual(run.report["exit"], {"reason": "fault", "code": 3})
        for text in ("*** driver bad_end, processor 0, ", *said):
            self.assertIn(text, run.report["fault"])
            self.assertIn(text, run.stderr)


class Fault(BadEnd):
    def test_a_cpp_exception_that_leaves_a_driver(self):
        words = ("*** STOP: 0x0000001E (0x00000000E06D7363, ", "std::runtime_error: nobody catches this")
        for where, place in (("classify", "*** in callout"), ("dpc", "*** in its DPC routine"),
                             ("thread", "*** in its thread"), ("entry", "*** in its DriverEntry")):
            with self.subTest(where=where):
                run = self.ends("throw", where)
                self.assert_bug_check(run, *words, place)
                self.assertRegex(run.stderr, r"00 EndByException \(.*bad_end_throw\.cpp:\d+\)", "the stack is that of the throw")

    def test_abort(self):
        self.assert_bug_check(self.ends("abort", "classify"), "(0x0000000040000015, ", "abort() was called",
                              "at FWPS_LAYER_INBOUND_TRANSPORT_V4", "*** packet: TCP")

    def test_what_was_known_is_in_the_report(self):
        run = self.ends("abort", "dpc")
        self.assertEqual([(d["name"], d["loaded"], d["unloaded"]) for d in run.report["drivers"]], [("bad_end", True, False)])
        self.assertEqual(run.report["layers"]["FWPS_LAYER_INBOUND_TRANSPORT_V4"]["classified"], 1)
        self.assertGreater(run.report["packets"]["received"], 0)
        self.assertEqual(run.report["command"]["arguments"], CURL)
        self.assertIn("driver bad_end: loaded, NOT unloaded: the run ended before", run.stderr)

    def test_exit(self):
        for where in ("classify", "thread", "unload"):
            with self.subTest(where=where):
                self.assert_bug_check(self.ends("exit", where), "CRITICAL_PROCESS_DIED", "exit() was called")

    @unittest.skipIf(SLOW != 1, "a sanitizer has a heap of its own")
    def test_what_the_c_library_finds_in_its_heap(self):
        self.assert_bug_check(self.ends("heap", "classify"), "KERNEL_MODE_HEAP_CORRUPTION",
                              "the C library says: free(): double free")

    @unittest.skipIf(SLOW != 1, "a sanitizer reports it in its own words")
    def test_a_used_up_stack(self):
        for where in ("classify", "thread", "entry"):
            with self.subTest(where=where):
                self.assert_bug_check(self.ends("stack", where), "*** STOP: 0x0000007F (0x0000000000000008, ",
                                      "the stack is used up")


@unittest.skipIf(SLOW != 1, "a sanitizer may keep the signal from a thread that loops")
class Hang(BadEnd):
    """A driver that loops or waits without end is told after five seconds, and `test` ends it."""

    def assert_hang(self, run, call, how, *said):
        self.assert_bug_check(run, f"driver bad_end has not come back from {call} for 5 s: it {how}", *said)
        self.assertRegex(run.report["fault"], r"\*\*\* stack:\n(  Ke\w+\n)?  \w+ \(.*bad_end\.c:\d+\)", "where it is, in the driver")
        self.assertTrue(run.report["fault_stack"])

    def test_a_loop_in_a_classify(self):
        run = self.ends("loop", "classify")
        self.assert_hang(run, "its classifyFn", "loops", "DPC_WATCHDOG_VIOLATION", "at FWPS_LAYER_INBOUND_TRANSPORT_V4", "*** packet: TCP SYN")

    def test_a_loop_in_a_dpc(self):
        run = self.ends("loop", "dpc")
        self.assert_hang(run, "its DPC routine", "loops", "DPC_WATCHDOG_VIOLATION")
        self.assertEqual(run.report["layers"]["FWPS_LAYER_INBOUND_TRANSPORT_V4"]["classified"], 1, "what was known")

    def test_a_wait_in_driver_entry(self):
        run = self.ends("wait", "entry")
        self.assert_hang(run, "its DriverEntry", "waits", "THREAD_STUCK_IN_DEVICE_DRIVER")
        self.assertRegex(run.report["fault"], r"waits for event 0x")

    def test_a_wait_for_a_thread_at_unload_names_the_thread_and_where_it_waits(self):
        run = self.ends("wait", "join", command=["sleep", str(6 * SLOW)])  # a thread itself may take its time
        self.assert_hang(run, "its DriverUnload", "waits")
        self.assertRegex(run.report["fault"], r"waits for end of a thread 0x\w+, thread 1 of bad_end\n")
        self.assertRegex(run.report["fault"], r"\*\*\* thread 1 of bad_end waits:\n  KeWaitForSingleObject\n  RunThread \(.*bad_end\.c:\d+\)")
        self.assertIn("thread 1 of bad_end waits for event 0x", run.report["fault"])


@unittest.skipIf(SLOW != 1, "a sanitizer may keep the signal from a thread that loops")
class HangInRun(LiveTest):
    """The daemon tells of it and goes on, unless it is told to stop, by --on-hang or by a signal."""

    def start(self, *options, how="loop", where="classify", load=True):
        reading, writing = os.pipe()
        self.log = open(self.folder / "log", "w+")
        self.addCleanup(self.log.close)
        driver = ["--driver", str(DRIVERS / "bad_end.so")] if load else []
        daemon = subprocess.Popen(["unshare", "--net", PROGRAM, "run", "--control", str(self.folder / "control"), "--service", "http",
                                   "--ready-fd", str(writing), "--report", str(self.folder / "report.json"), *driver,
                                   "--param", f"bad_end:how={how}", "--param", f"bad_end:where={where}", *EXTRA, *options],
                                  stderr=self.log, stdout=self.log, pass_fds=(writing,))
        self.addCleanup(lambda: (daemon.poll() is None and daemon.kill(), daemon.wait()))
        os.close(writing)
        with os.fdopen(reading) as ready:
            self.assertEqual(ready.read(), "ready\n", self.said())
        return daemon

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def wait_until_said(self, text):
        deadline = time.monotonic() + 30 * SLOW
        while text not in self.said():
            self.assertLess(time.monotonic(), deadline, f"nobody says: {text}\n{self.said()}")
            time.sleep(0.1)

    def curl(self, daemon):
        client = subprocess.Popen(["nsenter", "--net", f"--target={daemon.pid}", "curl", "-s", "-m", "60", "-o", "/dev/null",
                                   f"http://{V4}/"])
        self.addCleanup(lambda: (client.poll() is None and client.kill(), client.wait()))

    def assert_ended_by_signal(self, daemon, call):
        self.assertEqual(daemon.wait(30 * SLOW), 3, self.said())
        self.assertIn(f"wfptap: told to stop, and driver bad_end has not come back from {call}: ended without unloading drivers",
                      self.said())
        self.assertTrue(self.said().endswith("wfptap: exit reason=fault code=3\n"), self.said())
        report = json.loads((self.folder / "report.json").read_text())
        self.assertEqual(report["exit"], {"reason": "fault", "code": 3})
        self.assertIn(f"driver bad_end has not come back from {call}", report["fault"])
        self.assertEqual([d["name"] for d in report["drivers"]], ["bad_end"])

    def test_it_is_told_and_one_sigterm_ends_the_run(self):
        daemon = self.start()
        self.curl(daemon)
        self.wait_until_said("error hang: *** STOP: 0x00000133")
        self.assertIn("*** packet: TCP SYN", self.said())
        self.assertIsNone(daemon.poll(), "it goes on")
        daemon.terminate()
        self.assert_ended_by_signal(daemon, "its classifyFn")

    def test_a_sigterm_before_it_is_told(self):
        daemon = self.start()
        self.curl(daemon)
        time.sleep(1)
        daemon.terminate()
        self.assert_ended_by_signal(daemon, "its classifyFn")

    def test_a_sigterm_while_a_driver_is_being_loaded(self):
        daemon = self.start(where="entry", how="wait", load=False)
        client = subprocess.Popen([PROGRAM, "driver", "load", str(DRIVERS / "bad_end.so"), "--param", "how=wait", "--param",
                                   "where=entry", "--control", str(self.folder / "control")], stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (client.poll() is None and client.kill(), client.wait()))
        self.wait_until_said("bad_end has not come back from its DriverEntry for 5 s: it waits")
        daemon.terminate()
        self.assert_ended_by_signal(daemon, "its DriverEntry")

    def test_on_hang_stop(self):
        daemon = self.start("--on-hang", "stop")
        self.curl(daemon)
        self.assertEqual(daemon.wait(30 * SLOW), -signal.SIGABRT)
        report = json.loads((self.folder / "report.json").read_text())
        self.assertIn("driver bad_end has not come back from its classifyFn for 5 s: it loops", report["fault"])
        self.assertEqual(report["exit"], {"reason": "fault", "code": 3})
