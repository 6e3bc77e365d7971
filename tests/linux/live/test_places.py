"""Every message about a driver's mistake names function, file and line; for what was made elsewhere, both places."""
import pathlib
import re
import subprocess

from harness import V4, LiveTest, driver

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "callouts"
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
        self.assertRegex(violation["callout"], r"^callout \d+ \(filter \d+\) at INBOUND_TRANSPORT_V4$")
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
        self.assertRegex(violation["callout"], r"at INBOUND_TRANSPORT_V4$")
        self.assertEqual(violation["place"]["line"], line_of("bad_place.c", "/* paged here"))

    def test_a_callout_that_returned_is_named_by_its_function(self):
        violation = self.broken("bad_unbalanced").report["violations"][0]
        self.assertEqual(violation["place"]["function"], "Classify")

    def test_without_debug_information_image_offset_and_one_hint(self):
        stripped = self.folder / "bad_double_free.so"
        subprocess.run(["objcopy", "--strip-debug", driver("bad_double_free"), stripped], check=True)
        run = self.wfptap_test(stripped, command=CURL, trace=False, pcap=False, expect=3)
        place = run.report["violations"][0]["place"]
        self.assertEqual((place["file"], place["line"]), (None, None))
        self.assertEqual(place["image"], str(stripped))
        self.assertRegex(run.stderr, r"at Classify \(bad_double_free\.so\+0x[0-9a-f]+\)")
        self.assertEqual(len(re.findall("compile the driver with -g", run.stderr)), 1, run.stderr)
