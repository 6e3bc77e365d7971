"""Mistakes that drivers make, one run each: every one is answered with a rule or a note, the packet where there is one, the
place in the driver, and words that say what to do."""
import pathlib
import re

from harness import V4, LiveTest, driver

SOURCES = pathlib.Path(__file__).parents[2] / "callouts"
CURL = ["curl", "-s", "-o", "/dev/null", "--max-time", "2", f"http://{V4}/"]
# What it leaves running keeps a connection, and so its flow, open until the driver is unloaded.
OPEN = ["bash", "-c", f"(exec 3<>/dev/tcp/{V4}/7; echo x >&3; sleep 60) & sleep 0.5"]
SYN, TCP = r"TCP.*(SYN|\[S\])", r"TCP"
BEGIN = "classify begins"  # a rule that is noticed when the callout has returned names where its function begins

# what: (rule, packet or None, line with this marker or None, words of the remedy)
VIOLATIONS = {
    "unbalanced": ("OFS-UNBALANCED", SYN, BEGIN, "undo each NdisRetreatNetBufferDataStart"),
    "double-free": ("NBL-DOUBLE-FREE", SYN, "double-free", "free"),
    "leak": ("UNLOAD-RESIDUE", None, "leak", "FwpsFreeCloneNetBufferList0 frees each"),
    "over-release": ("NBL-DOUBLE-FREE", SYN, "over-release", "FwpsDereferenceNetBufferList0.*Give each back once"),
    "pool-leak": ("POOL-LEAK-UNLOAD", None, "pool-leak", "of tag 'Smpl' allocated"),
    "wrong-tag": ("POOL-WRONG-TAG", SYN, "wrong-tag", "tag"),
    "zero-handle": ("INJ-REFUSED", SYN, "zero-handle", "STATUS_FWP_INJECT_HANDLE_STALE.*injectionHandle is NULL"),
    "wrong-handle": ("INJ-REFUSED", SYN, "wrong-handle",
                     "not created for FWPS_INJECTION_TYPE_NETWORK but for FWPS_INJECTION_TYPE_TRANSPORT"),
    "original": ("INJ-ORIGINAL", SYN, "original", "Clone it with FwpsAllocateCloneNetBufferList0"),
    "twice": ("INJ-TWICE", SYN, "twice", "only after its completion function was called"),
    "free-in-flight": ("INJ-FREE-IN-FLIGHT", SYN, "free-in-flight", "completion function"),
    "loop": ("INJ-LOOP", TCP, None, "FwpsQueryPacketInjectionState0"),
    "inline": ("LOCK-INLINE-INJECT", SYN, "inline", "inject it from a DPC or another thread"),
    "absorb-permit": ("ARB-ABSORB-INVALID", SYN, BEGIN, "block"),
    "absorb-ale": ("ALE-CLASSIFY-SKIPPED", SYN, BEGIN, "permit it here and take it at the ALE layer"),
    "no-answer": ("ARB-ACTION-NOT-SET", SYN, BEGIN, "on every path"),
    "irql": ("IRQL-TOO-HIGH", SYN, "irql", "FwpmEngineOpen0"),
    "irql-leak": ("IRQL-LEAK", SYN, BEGIN, "restore the saved level on every path"),
    "lock-held": ("LOCK-HELD-IN-CALL", SYN, BEGIN, "release it on every path"),
    "pend-left": ("PEND-LEFT-AT-UNLOAD", None, "pend-left", "complete each before DriverUnload returns"),
    "pend-twice": ("PEND-DOUBLE-COMPLETE", None, "pend-twice", "once"),
    "busy": ("CALLOUT-LEFT-BEHIND", None, None, r"returned STATUS_DEVICE_BUSY, because it still had \d+ flow context"),
    "forgotten": ("CALLOUT-LEFT-BEHIND", None, None, "call FwpsCalloutUnregisterById0 for each"),
    "session-left": ("CALLOUT-LEFT-BEHIND", None, None, "call FwpmEngineClose0 for each"),
    "handle-left": ("UNLOAD-RESIDUE", None, None, "FwpsInjectionHandleDestroy0 destroys each"),
}
# What one mistake brings along.
ALSO = {"busy": {"UNLOAD-RESIDUE"}}
NOTES = {
    "unasked": ("LAYER-NEVER-ASKED", "unasked", "filter 'mistake' is at FWPS_LAYER_STREAM_V4"),
    "late": ("CALLOUT-REGISTERED-LATE", "late", "register before you add the filters"),
}


def lines_of(marker):
    """The lines of (file, number) with this word in their marking comment; the call is there or begins on the next."""
    found = []
    for source in ("mistakes.c", "mistakes_start.c"):
        for number, line in enumerate((SOURCES / source).read_text().splitlines(), 1):
            marked = re.search(r"/\* (?:mistake: )?(.*?) \*/", line)
            if marked and (marked.group(1) == marker or "mistake: " in line and marker in marked.group(1).split()):
                found += [(source, number), (source, number + 1)]
    assert found, marker
    return found


class Mistakes(LiveTest):
    def run_with(self, what, expect, *options):
        return self.wfptap_test(driver("mistakes"), command=OPEN if what == "busy" else CURL, trace=False, pcap=False,
                                options=[f"--param=mistakes:what={what}", *options], expect=expect)

    def check(self, found, rule, packet, marker, words):
        self.assertEqual((found["rule"], found["driver"]), (rule, "mistakes"))
        self.assertRegex(found["message"], words)
        if packet is not None:
            self.assertRegex(found["packet"], packet)
        if marker is not None:
            place = found["place"] or found["origins"][0]["stack"][0]  # of a leak: where it was acquired
            self.assertIn((pathlib.Path(place["file"]).name, place["line"]), lines_of(marker), found)

    def test_each_mistake_is_answered(self):
        for what, (rule, packet, marker, words) in VIOLATIONS.items():
            with self.subTest(what):
                run = self.run_with(what, 3)
                found = run.report["violations"]
                self.assertEqual({v["rule"] for v in found}, {rule} | ALSO.get(what, set()), found)
                self.check(next(v for v in found if v["rule"] == rule), rule, packet, marker, words)
                self.assertIn("reason=verifier code=3", run.last_line)

    def test_what_never_happened_is_a_note(self):
        for what, (rule, marker, words) in NOTES.items():
            with self.subTest(what):
                run = self.run_with(what, 0)
                self.assertEqual((run.report["violations"], len(run.report["notes"])), ([], 1), run.report)
                self.check(run.report["notes"][0], rule, None, marker, words)
                self.assertRegex(run.stderr, f"note {rule} by mistakes")
                self.assertIn("reason=verifier code=3", self.run_with(what, 3, "--strict").last_line)
        run = self.run_with("unasked", 0)
        self.assertEqual(run.report["layers"]["FWPS_LAYER_STREAM_V4"]["asked"], False)
        self.assertIn("this layer is never asked", run.stderr)

    def test_a_refusal_and_the_leak_after_it(self):
        """The completion function, where the driver frees its clone, does not run after a call that failed."""
        run = self.run_with("refused-leak", 3)
        refused, left = sorted(run.report["violations"], key=lambda v: v["rule"])
        self.check(refused, "INJ-REFUSED", SYN, "refused-leak", "still the caller's, to be freed where the call fails")
        self.check(left, "UNLOAD-RESIDUE", None, None, "1 clone was given to an injection call that failed, whose completion "
                                                       "function is not called: free the packet where the call fails")
        self.assertEqual(run.report["injections"]["refused"], 1)

    def test_a_cut_loop_is_a_drop_of_its_own(self):
        run = self.run_with("loop", 3)
        self.assertGreater(run.report["packets"]["dropped"]["injection_hop_limit"], 0)

    def test_an_entry_that_fails_says_which_call_and_which_key(self):
        run = self.run_with("bad-layer", 2)
        self.assertRegex(run.stderr, r"DriverEntry failed with 0x[0-9a-f]+ \(STATUS_FWP_LAYER_NOT_FOUND\), which FwpmFilterAdd0 "
                                     r"had returned \(filter 'mistake': layerKey \{6c617465-.*\} is no layer\)")
