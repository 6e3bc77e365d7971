"""Connections that wait for a driver's verdict at the authorization layers."""
from harness import HOST4, V4, LiveTest, driver


class Pend(LiveTest):
    def pend(self, script, *options, expect=0, **more):
        return self.wfptap_test(driver("pend_auth"), command=["sh", "-c", script],
                                options=["--param=pend_auth:delay=200", *options], expect=expect, **more)

    def test_accept_takes_the_delay_and_no_retransmission(self):
        run = self.pend(f"curl -sf -o /dev/null -w '%{{time_connect}}\\n' http://{V4}/")
        elapsed = float(run.stdout)
        self.assertGreaterEqual(elapsed, 0.19)
        self.assertLess(elapsed, 0.9, "the SYN had to be repeated")
        self.assertEqual(sum(1 for f in run.frames() if f.protocol == 6 and f.flags & 0x12 == 2), 1)
        self.assertEqual(run.report["pended"], {"started": 1, "completed": 1})
        self.assertEqual(run.report["violations"], [])

    def test_50_at_once(self):
        run = self.pend(f"seq 50 | xargs -P 50 -I N curl -sf -o /dev/null -w '%{{time_connect}}\\n' http://{V4}/")
        times = [float(t) for t in run.stdout.split()]
        self.assertEqual(len(times), 50)
        self.assertGreaterEqual(min(times), 0.19)
        self.assertEqual(sum(1 for f in run.frames() if f.protocol == 6 and f.flags & 0x12 == 2), 50, "no SYN was repeated")
        self.assertEqual(run.report["pended"], {"started": 50, "completed": 50})

    def test_active_open_is_pended_too(self):
        script = (f"python3 -c \"import socket; s = socket.create_server(('{HOST4}', 5555)); c, _ = s.accept(); "
                  f"c.sendall(b'hello'); c.close()\" & sleep 0.5; \"$WFPTAP\" connect {HOST4} 5555 < /dev/null; wait")
        run = self.pend(script)
        self.assertEqual(run.stdout, "hello")
        pended = [r for r in run.trace(layer="FWPS_LAYER_ALE_AUTH_CONNECT_V4")]
        self.assertEqual(len(pended), 2, "the first classify and the reauthorization")
        self.assertEqual(run.report["pended"]["started"], run.report["pended"]["completed"])

    def test_denied_is_denied(self):
        run = self.pend(f"curl -s --connect-timeout 1 http://{V4}/", "--param=pend_auth:deny=80", expect=28)
        self.assertEqual(run.report["violations"], [])

    def test_unload_with_pends_open(self):
        script = (f"curl -s --connect-timeout 2 http://{V4}/ & sleep 0.3; "
                  "\"$WFPTAP\" driver unload pend_auth; echo unloaded $?; wait; true")
        run = self.wfptap_test(driver("pend_auth"), command=["sh", "-c", script],
                               options=["--param=pend_auth:delay=60000"], expect=0)
        self.assertIn("unloaded 0", run.stdout)
        self.assertEqual(run.report["pended"]["started"], run.report["pended"]["completed"])
        self.assertEqual({k: n for k, n in run.report["objects"].items() if n}, {})
