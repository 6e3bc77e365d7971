"""Memory for what is received is one account: whoever fills it from outside fills his own part, and the host stays there
for everybody else; no driver waits for a peer."""
import json
import pathlib
import sys

from harness import LiveTest

HERE = pathlib.Path(__file__).parent
MIB = 1 << 20


class Filled(LiveTest):
    def fill(self, kind, connections, segments, *drivers, memory=128, send_memory=0):
        options = [f"--send-memory={send_memory}M"] if send_memory else []
        run = self.wfptap_test(*drivers, command=[sys.executable, "-B", str(HERE / "fill.py"), kind, str(connections),
                                                  str(segments)],
                               options=[f"--receive-memory={memory}M", *options], timeout=240, expect=0, trace=False,
                               pcap=False)
        seen = json.loads(run.stdout.splitlines()[0])
        self.assertEqual(seen["connected"], connections, seen)
        for probe in seen["probes"]:
            self.assertEqual(probe, {"ping": True, "arp": True, "curl": True}, seen)
        receive = seen["status"]["memory"]["receive"]
        self.assertEqual(receive["limit"], memory * MIB)
        self.assertLessEqual(receive["held"], memory * MIB)
        self.assertLess(seen["resident"], (memory + send_memory + 32) * MIB, seen)
        self.assertEqual(run.report["memory"]["receive_limit"], memory * MIB)
        return run, seen

    def test_one_byte_segments_behind_holes(self):
        _, seen = self.fill("bytes", 100, 600)
        self.assertGreater(seen["status"]["memory"]["receive"]["uses"]["out_of_order"]["held"], 2 * MIB)
        self.assertGreater(seen["reported_blocks"], 50)

    def test_nine_connections_with_a_thousand_bytes_each(self):
        self.fill("bytes", 9, 4096)

    def test_large_segments_behind_holes(self):
        _, seen = self.fill("large", 100, 60)
        receive = seen["status"]["memory"]["receive"]
        self.assertGreater(receive["held"], 64 * MIB)

    def test_pressure_prunes_and_is_told(self):
        run, seen = self.fill("large", 40, 60, memory=16)
        receive = seen["status"]["memory"]["receive"]
        self.assertGreater(receive["uses"]["out_of_order"]["refused"] + receive["pruned"], 0)
        self.assertIn("no room", run.stderr)

    def test_answers_that_nobody_reads(self):
        self.fill("unread", 60, 70, memory=32, send_memory=16)

    def test_no_driver_waits_for_a_peer(self):
        run, seen = self.fill("both", 100, 60, "passthrough", memory=64)
        self.assertEqual(seen["unload"]["code"], 0, seen["unload"])
        self.assert_nothing_lost(run)


class Uploads(LiveTest):
    def test_uploads_over_a_lossy_link_all_arrive(self):
        run = self.wfptap_test(command=[sys.executable, "-B", str(HERE / "uploads.py"), "24", "1000000"],
                               options=["--receive-memory=16M", "--impair", "loss=1%,delay=20ms", "--seed=4"], timeout=400,
                               expect=0, trace=False, pcap=False)
        seen = json.loads(run.stdout.splitlines()[0])
        self.assertEqual((seen["right"], seen["errors"]), (24, []), seen)
        self.assertEqual(seen["pages"], seen["pages_right"], seen)
        held = {name: use["held"] for name, use in run.report["memory"]["uses"].items() if use["held"]}
        self.assertEqual(held, {}, "nothing is held when everybody has read")
