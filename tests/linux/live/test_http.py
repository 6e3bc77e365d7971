"""The http service against a client that wants all of it."""
from harness import HOST4, V4, LiveTest

# One host takes every connection that there is,.
GREEDY = f"""
import resource, socket, subprocess, sys
limit = 16384
resource.setrlimit(resource.RLIMIT_NOFILE, (limit + 100, limit + 100))
held = []
for number in range(limit):
    held.append(socket.socket())
    held[-1].connect(("{V4}", 80))
status = subprocess.run([sys.argv[1], "show", "status"], capture_output=True, text=True, check=True).stdout
print([line.strip() for line in status.splitlines() if "http on port" in line])
for source in ("10.77.0.77", "{HOST4}"):
    subprocess.run(["curl", "-sf", "--max-time", "5", "--interface", source, "-o", "/dev/null", "-w",
                    "%{{http_code}}\\n", "http://{V4}/"])
held[-1].sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
print(held[-1].recv(12))
status = subprocess.run([sys.argv[1], "show", "status"], capture_output=True, text=True, check=True).stdout
print([line.strip() for line in status.splitlines() if "http on port" in line])
"""


class Http(LiveTest):
    def test_one_host_with_every_connection_shuts_nobody_out(self):
        self.need("curl")
        script = 'ip address add 10.77.0.77/24 dev wfp0; python3 -c "$0" "$WFPTAP"'
        run = self.wfptap_test(command=["bash", "-c", script, GREEDY], trace=False, pcap=False, timeout=120, expect=0)
        full, other, same, held, after = run.stdout.splitlines()
        self.assertIn("16384 ", full)
        self.assertIn(" 0 displaced", full)
        self.assertEqual((other, same), ("200", "200"))
        self.assertEqual(held, "b'HTTP/1.1 200'", "the newest of the many is still served")
        self.assertIn(" 1 displaced", after, "the first curl took a place, the second had that one")
