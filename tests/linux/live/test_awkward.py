"""The three awkward packets of live TCP: what they look like, how naive loses two of them, how robust keeps all."""
from harness import V4, LiveTest, driver

NO_TIMESTAMPS = "sysctl -qw net.ipv4.tcp_timestamps=0;"
REFUSED, TIMED_OUT = 7, 28


def meta(record):
    return int(record["metadata"]["currentMetadataValues"], 16)


class Reset(LiveTest):
    """A SYN to a port without a listener: the RST comes from segment matching and has no endpoint."""

    def connect_refused(self, mode, expect, *options, drivers=()):
        command = ["sh", "-c", f"{NO_TIMESTAMPS} exec curl -s --connect-timeout 4 http://{V4}:4444"]
        return self.wfptap_test("passthrough", *drivers, command=command, expect=expect,
                                options=[f"--param=passthrough:mode={mode}", *options])

    def resets(self, run):
        return [r for r in run.trace(layer="FWPS_LAYER_OUTBOUND_TRANSPORT_V4") if r["origin"] == "tcp.reset"]

    def test_metadata_and_naive_loss(self):
        run = self.connect_refused("naive", TIMED_OUT)
        resets = self.resets(run)
        self.assertTrue(resets)
        for record in resets:
            self.assertEqual(meta(record), 0x8CC0)
            self.assertEqual(int(str(record["metadata"]["transportEndpointHandle"]), 0), 0)
            self.assertEqual(record["metadata"]["transportHeaderSize"], 0x14)
            self.assertEqual(record["metadata"]["compartmentId"], 1)
            self.assertEqual(record["metadata"]["flags"], 1)
            self.assertNotIn("flowHandle", record["metadata"])
            self.assertNotIn("ipHeaderSize", record["metadata"])
        self.assertGreaterEqual(run.report["injections"]["failed"], 1)
        self.assertFalse([f for f in run.frames() if f.protocol == 6 and f.flags & 4], "a RST reached the wire")

    def test_robust_refuses_at_once(self):
        run = self.connect_refused("robust", REFUSED)
        self.assert_nothing_lost(run)
        self.assertEqual(len([f for f in run.frames() if f.protocol == 6 and f.flags & 4]), 1)
        self.assertEqual(len([f for f in run.frames() if f.protocol == 6 and f.flags & 2]), 1, "the SYN was repeated")

    def test_naive_with_corrected_metadata(self):
        run = self.connect_refused("naive", REFUSED, "--endpoint-metadata", "corrected")
        self.assert_nothing_lost(run)

    def test_zero_permit_is_the_second_way(self):
        self.connect_refused("robust", REFUSED, "--param=passthrough:zero=permit")


class TimeWait(LiveTest):
    """The stack closes first; the peer's own FIN arrives when the endpoint is gone."""

    CLIENT = """
import socket, subprocess, sys, time
s = socket.create_connection(('%s', 80))
s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')
while s.recv(65536): pass
time.sleep(0.3)                      # our FIN comes in a segment of its own, after the ACK of theirs
port = s.getsockname()[1]
s.close()
time.sleep(1.0)
print(subprocess.run(['ss', '-Htan', f'sport = :{port}'], capture_output=True, text=True).stdout)
""" % V4

    def close_from_the_stack(self, mode, *drivers, options=()):
        script = self.folder / "client.py"
        script.write_text(self.CLIENT)
        return self.wfptap_test("passthrough", *drivers, command=["sh", "-c", f"{NO_TIMESTAMPS} exec python3 {script}"],
                                options=[f"--param=passthrough:mode={mode}", *options], expect=0)

    def test_metadata(self):
        run = self.close_from_the_stack("robust")
        self.assert_nothing_lost(run)
        outbound = [r for r in run.trace(layer="FWPS_LAYER_OUTBOUND_TRANSPORT_V4") if r["origin"] == "tcp.time_wait"]
        self.assertTrue(outbound)
        for record in outbound:
            self.assertEqual(meta(record), 0x8CC0)
            self.assertEqual(int(str(record["metadata"]["transportEndpointHandle"]), 0), 0)
        inbound = [r for r in run.trace(layer="FWPS_LAYER_INBOUND_TRANSPORT_V4") if meta(r) == 0xC84]
        self.assertTrue(inbound)
        for record in inbound:
            self.assertEqual((record["metadata"]["ipHeaderSize"], record["metadata"]["transportHeaderSize"]), (0x14, 0x14))
            self.assertNotIn("transportEndpointHandle", record["metadata"])
        ordinary = {meta(r) for r in run.trace(layer="FWPS_LAYER_OUTBOUND_TRANSPORT_V4") if r["origin"] == "tcp.data"}
        self.assertEqual(ordinary, {0x8CC2})
        self.assertIn(0x8C86, {meta(r) for r in run.trace(layer="FWPS_LAYER_INBOUND_TRANSPORT_V4")})

    def test_naive_leaves_the_peer_in_last_ack(self):
        run = self.close_from_the_stack("naive")
        self.assertIn("LAST-ACK", run.stdout)
        self.assertGreaterEqual(run.report["injections"]["failed"], 1)

    def test_robust_lets_the_peer_go(self):
        self.assertNotIn("LAST-ACK", self.close_from_the_stack("robust").stdout)

    def test_a_callout_conditional_on_flow_sees_none_of_the_three(self):
        run = self.close_from_the_stack("robust", driver("flow_count"))
        counted = [r for r in run.trace() if r.get("driver") == "flow_count" or "flow_count" in str(r.get("callout", ""))]
        for record in counted:
            self.assertNotIn(meta(record), (0x8CC0, 0xC84), record)
        self.assert_nothing_lost(run)
