"""What every host must answer, asked with nping and ping; and that garbage does not hurt."""
import re

from harness import HOST6, V4, V6, LiveTest


class Answers(LiveTest):
    """Each probe three times; the answers as nping sees them, and the layers that they passed."""

    def nping(self, *arguments, address=V4):
        command = f"nping {' '.join(arguments)} -c 3 --rate 10 {address}"
        if ":" in address:  # nping cannot choose an IPv6 source by itself: it is told, down to the link addresses
            command = (f"ping -c 1 {address} > /dev/null; {command} -6 -e wfp0 -S {HOST6}"
                       " --source-mac $(ip link show wfp0 | awk '/link.ether/ {print $2}')"
                       f" --dest-mac $(ip -6 neigh show {address} | cut -d' ' -f5)")
        return self.wfptap_test(command=["sh", "-c", command], expect=0)

    def layers(self, run, origin):
        return {r["layer"] for r in run.trace(origin=origin)}

    def test_tcp_open_port(self):
        run = self.nping("--tcp", "-p", "80")
        self.assertEqual(len(re.findall(r"RCVD.* SA ", run.stdout)), 3, run.stdout)
        self.assertEqual(self.layers(run, "tcp.syn"),
                         {"FWPS_LAYER_OUTBOUND_TRANSPORT_V4", "FWPS_LAYER_OUTBOUND_IPPACKET_V4"})
        accepts = list(run.trace(layer="FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4"))
        self.assertEqual(len(accepts), 3)

    def test_tcp_closed_port(self):
        run = self.nping("--tcp", "-p", "4444")
        self.assertEqual(len(re.findall(r"RCVD.* RA ", run.stdout)), 3, run.stdout)
        self.assertEqual(sum(1 for _ in run.trace(layer="FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD")), 3)
        self.assertEqual(sum(1 for _ in run.trace(layer="FWPS_LAYER_INBOUND_TRANSPORT_V4")), 0)
        self.assertEqual(self.layers(run, "tcp.reset"),
                         {"FWPS_LAYER_OUTBOUND_TRANSPORT_V4", "FWPS_LAYER_OUTBOUND_IPPACKET_V4"})

    def test_udp_open_port(self):
        run = self.nping("--udp", "-p", "7", "--data-string", "hello")
        self.assertIn("Rcvd: 3", run.stdout)
        self.assertEqual(sum(1 for _ in run.trace(layer="FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4")), 1, "one flow, one question")

    def test_udp_closed_port(self):
        run = self.nping("--udp", "-p", "4444")
        self.assertEqual(len(re.findall(r"RCVD.*[Pp]ort unreachable", run.stdout)), 3, run.stdout)
        self.assertEqual(sum(1 for _ in run.trace(layer="FWPS_LAYER_INBOUND_IPPACKET_V4_DISCARD")), 3)
        self.assertEqual(self.layers(run, "icmp.error"),
                         {"FWPS_LAYER_OUTBOUND_TRANSPORT_V4", "FWPS_LAYER_OUTBOUND_IPPACKET_V4"})

    def test_icmp_echo(self):
        run = self.nping("--icmp")
        self.assertEqual(len(re.findall(r"RCVD.*Echo reply", run.stdout)), 3, run.stdout)

    def test_ipv6(self):
        run = self.nping("--tcp", "-p", "80", address=V6)
        self.assertEqual(len(re.findall(r"RCVD.* SA ", run.stdout)), 3, run.stdout)

    def test_large_ping_is_reassembled_and_fragmented(self):
        script = f"ping -c 2 -i 0.2 -s 20000 {V4} && ping -c 2 -i 0.2 -s 20000 {V6}"
        run = self.wfptap_test(command=["sh", "-c", script], expect=0)
        self.assertEqual(run.stdout.count(" 0% packet loss"), 2, run.stdout)


class Garbage(LiveTest):
    def test_100000_random_and_mutated_frames(self):
        """A packet socket on the kernel's side of the TAP; the daemon answers a client before, during and after."""
        run = self.wfptap_test(command=["python3", str(__file__).replace("test_host.py", "garbage.py"), V4, "100000"],
                               trace=False, pcap=False, timeout=120, expect=0)
        self.assertEqual(run.report["exit"]["reason"], "command")
        packets = run.report["packets"]
        self.assertGreaterEqual(packets["received"], 100_000)
        self.assertGreater(sum(packets["dropped"].values()), 10_000)
        self.assertEqual(run.report["violations"], [])
        self.assertIn("alive", run.stdout)
