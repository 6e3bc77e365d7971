"""What outbound packets leave to the adapter, as callouts see it: by consent, by --offload, by family and protocol."""
import re

from harness import V4, V6, LiveTest, driver

LINE = re.compile(r"offload_look: (\w+) packets (\d+) longest (\d+) large (\d+) asked (\d+) unfinished (\d+)")
COUNTS = ("packets", "longest", "large", "asked", "unfinished")
PLACES = {"OUTBOUND_TRANSPORT_V4", "OUTBOUND_TRANSPORT_V6", "OUTBOUND_IPPACKET_V4", "OUTBOUND_IPPACKET_V6"}
# A UDP client of the echo service: five datagrams to each address, and how often the answer was what was sent.
ECHO = f"""
import socket
for family, address in ((socket.AF_INET, "{V4}"), (socket.AF_INET6, "{V6}")):
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(0.5)
        right = wrong = 0
        for number in range(5):
            sent = b"datagram %d" % number
            client.sendto(sent, (address, 7))
            try:
                got = client.recv(2048)
                right, wrong = right + (got == sent), wrong + (got != sent)
            except TimeoutError:
                pass
        print(address, right, wrong)
"""


def fetch(address, size):
    host = f"[{address}]" if ":" in address else address
    return f"curl -sf -o /dev/null --max-time 20 -w '%{{size_download}}\\n' http://{host}/bytes/{size}"


class Offload(LiveTest):
    def look(self, *options):
        """Large downloads and datagrams of both families; returns the driver's counts by layer."""
        script = f"{fetch(V4, 3000000)} && {fetch(V6, 3000000)} && python3 -c '{ECHO}'"
        run = self.wfptap_test(driver("offload_look"), command=["sh", "-c", script], options=options, trace=False,
                               pcap=False, expect=0)
        self.assertEqual(run.stdout.split(), ["3000000", "3000000", V4, "5", "0", V6, "5", "0"])
        self.assertEqual(run.report["violations"], [])
        seen = {name: dict(zip(COUNTS, map(int, counts))) for name, *counts in LINE.findall(run.stderr)}
        self.assertEqual(set(seen), PLACES)
        return seen

    def assert_finished(self, seen):
        for place, counts in seen.items():
            self.assertEqual((counts["large"], counts["asked"], counts["unfinished"]), (0, 0, 0), (place, counts))
            self.assertLessEqual(counts["longest"], 1500, place)
            self.assertGreater(counts["packets"], 2000, "segments of the path's size")

    def test_without_consent_packets_are_finished_and_of_the_paths_size(self):
        self.assert_finished(self.look())

    def test_with_consent_large_segments_and_open_sums_are_seen_with_their_information(self):
        for place, counts in self.look("--param=offload_look:consent=1").items():
            self.assertGreater(counts["longest"], 10000, place)
            self.assertGreater(counts["large"], 0, place)
            self.assertGreaterEqual(counts["asked"], counts["large"])
            self.assertEqual(counts["asked"], counts["unfinished"], "an open sum says so, a finished one does not")

    def test_offload_off_finishes_for_everybody(self):
        self.assert_finished(self.look("--offload", "off", "--param=offload_look:consent=1"))

    def test_show_layers_names_who_refused(self):
        script = '"$WFPTAP" show layers; "$WFPTAP" show layers --json'
        run = self.wfptap_test(driver("offload_look"), command=["sh", "-c", script], trace=False, pcap=False, expect=0)
        sentence = ("checksum and large send offload is off over IPv{}: callout {} of driver offload_look at {} was registered "
                    "without FWP_CALLOUT_FLAG_ALLOW_OFFLOAD")
        for family, callout, layer in ((4, 256, "OUTBOUND_TRANSPORT_V4"), (6, 259, "OUTBOUND_IPPACKET_V6")):
            self.assertEqual(run.stdout.count(sentence.format(family, callout, "FWPS_LAYER_" + layer)), 2, run.stdout)
        run = self.wfptap_test(driver("offload_look"), command=["sh", "-c", script], trace=False, pcap=False, expect=0,
                               options=["--param=offload_look:consent=1"])
        self.assertNotIn("offload is off", run.stdout)

    def test_passthrough_without_consent_loses_nothing(self):
        script = f"{fetch(V4, 3000000)} && {fetch(V6, 3000000)}"
        run = self.wfptap_test("passthrough", command=["sh", "-c", script], pcap=False, expect=0,
                               options=["--param=passthrough:offload=refuse"])
        self.assert_nothing_lost(run)
        shown = [r["length"] for r in run.trace(direction="outbound") if r["layer"].startswith("FWPS_LAYER_OUTBOUND_")]
        self.assertLessEqual(max(shown), 1500)


class OldChecksum(LiveTest):
    """The most frequent mistake of drivers that change packets: the receiver drops what they inject."""

    def send(self, *options):
        return self.wfptap_test(driver("bad_checksum"), command=["python3", "-c", ECHO], options=options, trace=False,
                                pcap=False, expect=0)

    def assert_dropped(self, run):
        self.assertEqual(run.stdout.split(), [V4, "0", "0", V6, "0", "0"])
        self.assertRegex(run.stderr, r"bad_checksum: changed [1-9]")

    def test_udp_is_dropped_without_consent(self):
        self.assert_dropped(self.send())

    def test_udp_is_dropped_with_offload_off(self):
        self.assert_dropped(self.send("--offload", "off", "--param=bad_checksum:consent=1"))

    def test_an_adapter_that_finishes_the_sum_hides_it(self):
        run = self.send("--param=bad_checksum:consent=1")
        self.assertEqual(run.stdout.split(), [V4, "0", "5", V6, "0", "5"])

    def test_tcp_is_dropped(self):
        for address in (V4, V6):
            for options in (["--offload", "on"], ["--offload", "off", "--param=bad_checksum:consent=1"]):
                with self.subTest(address=address, options=options):
                    host = f"[{address}]" if ":" in address else address
                    run = self.wfptap_test(driver("bad_checksum"), options=options, trace=False, pcap=False, expect=28,
                                           command=["curl", "-s", "--max-time", "2", f"http://{host}/"])
                    self.assertEqual(run.stdout, "")
                    self.assertRegex(run.stderr, r"bad_checksum: changed [1-9]")
