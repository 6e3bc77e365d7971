"""Drivers that end the program or do not come back: what is said, by whom it was, and that a report is written."""
import unittest

from harness import DRIVERS, SLOW, V4, LiveTest

CURL = ["curl", "-s", "-m", "20", "-o", "/dev/null", f"http://{V4}/"]


class Fault(LiveTest):
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
