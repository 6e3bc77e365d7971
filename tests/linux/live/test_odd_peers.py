"""Peers that do what no kernel does, and what the stack answers them; the scenes are in odd_peer.py."""
from harness import V4, LiveTest, driver

SCRIPT = str(__file__).replace("test_odd_peers.py", "odd_peer.py")


class OddPeers(LiveTest):
    def scene(self, name, *drivers, timeout=120):
        run = self.wfptap_test(*drivers, command=["python3", SCRIPT, name], timeout=timeout, trace=False, expect=0)
        self.assertEqual(run.report["violations"], [])
        return run

    def test_timestamps_that_stay_away_after_the_handshake(self):
        run = self.scene("handshake_without_timestamps")
        self.assertNotIn("tcp_paws", run.report["packets"]["dropped"])

    def test_abort_reaches_a_peer_that_reads(self):
        self.scene("reset_reader", driver("flow_abort"))

    def test_abort_reaches_a_peer_whose_window_is_closed(self):
        self.scene("reset_closed_window", driver("flow_abort"))

    def test_datagrams_to_all_are_answered_by_none(self):
        self.scene("datagrams_to_all")

    def test_forged_neighbours_are_not_answered(self):
        run = self.scene("forged_neighbours")
        self.assertGreaterEqual(run.report["packets"]["dropped"].get("neighbor_invalid", 0), 2)

    def test_an_address_that_was_claimed_comes_back(self):
        run = self.scene("address_comes_back")
        self.assertIn(f"has {V4}; it is not used", run.stderr)
        self.assertIn(f"nobody else claims {V4} any more; it is used again", run.stderr)

    def test_connect_to_nobody_says_so(self):
        self.scene("host_unreachable")

    def test_ping_records_route_and_time(self):
        self.need("ping")
        command = f"ping -n -R -c 1 {V4} && ping -n -T tsandaddr -c 1 {V4}"
        run = self.wfptap_test(command=["sh", "-c", command], trace=False, expect=0)
        route, times = run.stdout.split("PING")[1:]
        self.assertIn(f"RR:", route)
        self.assertGreaterEqual(route.split("RR:")[1].count(V4), 1, route)
        self.assertRegex(times, rf"TS:[\s\S]*{V4}", times)
