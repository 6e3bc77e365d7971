"""`wfptap show netevents`: who dropped my packet?"""
import json

from harness import PROGRAM, V4, LiveTest


class NetEvents(LiveTest):
    def test_blocks_and_lost_packets_are_named(self):
        """A filter blocks the SYN-ACK of port 7, and naive loses the RST of port 4444."""
        script = (f"{PROGRAM} filter add --layer OUTBOUND_TRANSPORT_V4 --action block --condition IP_LOCAL_PORT=7; "
                  f"curl -s -m 1 telnet://{V4}:7; curl -s -m 1 http://{V4}:4444; {PROGRAM} show netevents --json")
        run = self.wfptap_test("passthrough", command=["sh", "-c", script], options=["--param", "passthrough:mode=naive"],
                               trace=False, pcap=False, expect=0)
        head, _, tail = run.stdout.partition("\n")
        rule = int(head.split(":")[1])
        events = json.loads(tail)["netevents"]
        blocked = [event for event in events if event["filter"] == rule]
        self.assertTrue(blocked, events)
        self.assertEqual(blocked[0]["layer"], "FWPS_LAYER_OUTBOUND_TRANSPORT_V4")
        self.assertRegex(blocked[0]["packet"], rf"^tcp {V4}:7 > .* \[SA\]$")
        lost = [event for event in events if event["reason"] == "endpoint_gone"]
        self.assertRegex(lost[0]["packet"], rf"^tcp {V4} > ")
