"""Every message about a driver's mistake names function, file and line; for what was made elsewhere, both places."""
import pathlib
import re
import subprocess
import unittest

from harness import SLOW, V4, LiveTest, driver

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "callouts"
CRASHES = unittest.skipIf(SLOW != 1, "a sanitizer reports crashes and freed memory itself")
CURL = ("curl", "-s", "-o", "/dev/null", "--max-time", "5", f"http://{V4}/")


def line_of(source, text):
    """The number of the one line with this text."""
    numbers = [n for n, line in enumerate((SOURCES / source).read_text().splitlines(), 1) if text in line]
    assert len(numbers) == 1, f"{source} has {len(numbers)} lines with {text!r}"
    return numbers[0]


class Places(LiveTest):
    def broken(self, name, *options, expect=3):
        return self.wfptap_test(driver(name), command=CURL, options=options, trace=False, pcap=False, expect=expect)

    def assert_at(self, frame, function, source, line, inlined=False):
        self.assertEqual((frame["function"], pathlib.Path(frame["file"]).name, frame["line"], frame["inlined"]),
                         (function, source, line, inlined), frame)
        self.assertTrue(frame["image"].endswith(".so") and frame["offset"].startswith("0x"), frame)

    def place(self, what, *options):
        """The one violation of bad_place, and its run."""
        run = self.broken("bad_place", f"--param=bad_place:what={what}", *options)
        self.assertEqual(len(run.report["violations"]), 1, run.report["violations"])
        return run.report["violations"][0], run

    def test_a_second_free_names_all_three_places(self):
        run = self.broken("bad_double_free")
        violation, source = run.report["violations"][0], "bad_double_free.c"
        cloned = line_of(source, "FwpsAllocateCloneNetBufferList0")
        self.assert_at(violation["place"], "Classify", source, cloned + 2)
        acquired, released = violation["origins"]
        self.assertEqual((acquired["what"], released["what"]), ("acquired", "released"))
        self.assert_at(acquired["stack"][0], "Classify", source, cloned)
        self.assert_at(released["stack"][0], "Classify", source, cloned + 1)
        self.assertRegex(violation["callout"], r"^callout \d+ \(filter \d+\) at FWPS_LAYER_INBOUND_TRANSPORT_V4$")
        self.assertIn(f"bad_double_free.c:{cloned + 2})", run.stderr)
        self.assertNotIn("compile the driver with -g", run.stderr)

    def test_an_inlined_function_is_a_frame_of_its_own(self):
        violation, _ = self.place("inlined")
        self.assert_at(violation["stack"][0], "TwiceInlined", "bad_place.c", line_of("bad_place.c", "/* inlined here"), True)
        names = [frame["function"] for frame in violation["stack"]]
        self.assertIn("FreeTwice", names)
        caller = violation["stack"][names.index("FreeTwice")]
        self.assertEqual(caller["line"], line_of("bad_place.c", "/* called here"))

    def test_full_has_stacks_with_our_frames_left_out(self):
        violation, _ = self.place("twice", "--verify=full")
        names = [frame["function"] for frame in violation["stack"]]
        self.assertEqual(names[-2:], ["Break", "Classify"], names)
        self.assertTrue(all(frame["image"].endswith("bad_place.so") for frame in violation["stack"]), violation["stack"])
        self.assertEqual([origin["stack"][-1]["function"] for origin in violation["origins"]], ["Classify"] * 2)

    def test_leaks_name_where_each_was_acquired(self):
        for what, text in (("clone", "FwpsAllocateCloneNetBufferList0(Packet"), ("pool", "ExAllocatePool2"),
                           ("reference", "FwpsReferenceNetBufferList0("), ("handle", "FwpsInjectionHandleCreate0(")):
            with self.subTest(what):
                run = self.broken("bad_leak", f"--param=bad_leak:what={what}")
                violation = run.report["violations"][0]
                self.assertIsNone(violation["place"])
                self.assertEqual(violation["origins"][0]["stack"][0]["line"], line_of("bad_leak.c", text), violation)

    @CRASHES
    def test_a_write_after_the_free_is_found_at_unload(self):
        violation, _ = self.place("freed", "--verify=full")
        self.assertEqual(violation["rule"], "POOL-USE-AFTER-FREE")
        acquired, released = violation["origins"]
        self.assertEqual(acquired["stack"][0]["line"], line_of("bad_place.c", "/* allocated here"))
        self.assertEqual(released["stack"][0]["line"], line_of("bad_place.c", "/* freed here"))
        self.assertIn("WriteFreed", [frame["function"] for frame in released["stack"]])

    def test_irql_names_callout_layer_function_and_place(self):
        violation, _ = self.place("irql")
        self.assertEqual(violation["rule"], "IRQL-TOO-HIGH")
        self.assertIn("ExAllocatePoolWithTag was called at DISPATCH_LEVEL", violation["message"])
        self.assertRegex(violation["callout"], r"at FWPS_LAYER_INBOUND_TRANSPORT_V4$")
        self.assertEqual(violation["place"]["line"], line_of("bad_place.c", "/* paged here"))

    def test_a_callout_that_returned_is_named_by_its_function(self):
        violation = self.broken("bad_unbalanced").report["violations"][0]
        self.assertEqual(violation["place"]["function"], "Classify")

    def fault(self, what):
        """The stack of a run that a fault ends, as the report has it, and the run."""
        run = self.broken("bad_place", f"--param=bad_place:what={what}")
        self.assertIn("reason=fault code=3", run.last_line)
        self.assertRegex(run.stderr, r"\*\*\* in callout \d+ \(filter \d+\) at FWPS_LAYER_INBOUND_TRANSPORT_V4")
        return run.report["fault_stack"], run

    @CRASHES
    def test_a_fault_has_its_stack_in_words(self):
        stack, run = self.fault("fault")
        self.assert_at(stack[0], "Store", "bad_place.c", line_of("bad_place.c", "/* stored here"))
        self.assert_at(stack[1], "Break", "bad_place.c", line_of("bad_place.c", "/* fault here"))
        self.assertEqual(stack[2]["function"], "Classify")
        self.assertEqual(len(stack), 3, "frames of ours are left out")
        self.assertRegex(run.stderr, r"\*\*\* stack:\n  00 Store \(.*bad_place\.c:\d+\)\n  01 Break ")

    @CRASHES
    def test_the_trace_names_callouts_that_look_on_and_one_that_faults(self):
        run = self.wfptap_test(driver("inspect"), driver("bad_place"), command=CURL, pcap=False, expect=3,
                               options=["--param=bad_place:what=fault"])
        last = list(run.trace())[-1]
        self.assertEqual((last["layer"], last["action"], last["driver"]),
                         ("FWPS_LAYER_INBOUND_TRANSPORT_V4", "fault", "bad_place"))
        self.assertEqual([(call["driver"], call["action"]) for call in last["callouts"]][-1], ("bad_place", "fault"))
        seen = [call for record in run.trace() for call in record["callouts"] if call["driver"] == "inspect"]
        self.assertTrue(seen and all(call["action"] == "continue" for call in seen), seen)

    @CRASHES
    def test_a_jump_to_nowhere_names_who_jumped(self):
        stack, _ = self.fault("jump")
        self.assert_at(stack[0], "Break", "bad_place.c", line_of("bad_place.c", "/* jump here"))

    def test_a_null_argument_names_function_argument_and_place(self):
        stack, run = self.fault("null")
        self.assert_at(stack[0], "Break", "bad_place.c", line_of("bad_place.c", "/* null here"))
        self.assertIn("KeSetEvent was called with Event NULL", run.report["fault"])

    @CRASHES
    def test_the_daemon_has_them_too(self):
        """`wfptap run` has nobody above it: a child of its own finds what places mean."""
        script = f"""
          "$WFPTAP" run --tap wfp7 --address 10.79.0.2/24 --host-address 10.79.0.1/24 --service http --control "$PWD/c" \
            --driver {driver("bad_place")} --param bad_place:what=$1 --ready-fd 3 3>ready 2>errors & daemon=$!
          for i in $(seq 100); do test -s ready && break; sleep 0.1; done
          curl -s -o /dev/null --max-time 3 --retry 2 --retry-all-errors http://10.79.0.2/; kill $daemon; wait $daemon; cat errors >&2"""
        for what, text in (("twice", r"POOL-BAD-FREE by bad_place at PoolTwice \(.*bad_place\.c:{}\)"),
                           ("fault", r"\*\*\* stack:\n  00 Store \(.*bad_place\.c:{}\)")):
            with self.subTest(what):
                run = self.wfptap_test(command=["bash", "-c", script, "-", what], trace=False, pcap=False)
                line = line_of("bad_place.c", "/* again here" if what == "twice" else "/* stored here")
                self.assertRegex(run.stderr, text.format(line))

    def test_without_debug_information_image_offset_and_one_hint(self):
        stripped = self.folder / "bad_double_free.so"
        subprocess.run(["objcopy", "--strip-debug", driver("bad_double_free"), stripped], check=True)
        run = self.wfptap_test(stripped, command=CURL, trace=False, pcap=False, expect=3)
        place = run.report["violations"][0]["place"]
        self.assertEqual((place["file"], place["line"]), (None, None))
        self.assertEqual(place["image"], str(stripped))
        self.assertRegex(run.stderr, r"at Classify \(bad_double_free\.so\+0x[0-9a-f]+\)")
        self.assertEqual(len(re.findall("compile the driver with -g", run.stderr)), 1, run.stderr)
