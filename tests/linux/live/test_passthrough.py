"""Bulk traffic through the passthrough driver: the right bytes, and counts that can be recomputed from what was recorded."""
import hashlib
import subprocess

from harness import HOST4, V4, V6, LiveTest

SIZE = 10_000_000


def expected_digest(size):
    """The http service's documented pattern: byte i of /bytes/N is i modulo 251."""
    block = bytes(range(251)) * 4000
    digest, left = hashlib.sha256(), size
    while left:
        piece = block[:min(left, len(block))]
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()


class Passthrough(LiveTest):
    def download(self, address, *options, parameters=("passthrough:mode=robust",), size=SIZE):
        target = self.folder / "body"
        run = self.wfptap_test("passthrough", command=["curl", "-sf", f"http://{address}/bytes/{size}", "-o", str(target)],
                               options=[*(f"--param={p}" for p in parameters), *options], expect=0)
        self.assertEqual(target.stat().st_size, size)
        self.assertEqual(hashlib.sha256(target.read_bytes()).hexdigest(), expected_digest(size))
        self.assert_nothing_lost(run)
        return run

    def assert_counts_recomputable(self, run, version, address_bytes):
        """The report's absorbed and injected counts, once more from the trace, and the traffic from the capture."""
        absorbed = self.absorbed_by_layer(run)
        for layer, counts in run.report["layers"].items():
            self.assertEqual(counts["absorbed"], absorbed.get(layer, 0), layer)
            seen = sum(1 for _ in run.trace(layer=layer))
            self.assertEqual(counts["classified"], seen, layer)
        total_absorbed = sum(absorbed.values())
        self.assertGreater(total_absorbed, 0)
        self.assertEqual(run.report["injections"]["accepted"], total_absorbed)
        self.assertEqual(run.report["injections"]["completed"], total_absorbed)
        # Every TCP frame that left the device was permitted at OUTBOUND_TRANSPORT exactly once: when it came back, or at
        # once when the driver's queue was full. Every one that came in, at INBOUND_TRANSPORT; the SYN twice, because it
        # was permitted there first and pended at ALE_AUTH_RECV_ACCEPT.
        frames = [f for f in run.frames() if f.protocol == 6]
        sent = sum(1 for f in frames if f.source == address_bytes)
        received = len(frames) - sent
        permitted = {way: sum(1 for _ in run.trace(layer=f"FWPS_LAYER_{way}_TRANSPORT_{version}", protocol="tcp",
                                                   action="permit")) for way in ("OUTBOUND", "INBOUND")}
        self.assertEqual(permitted["OUTBOUND"], sent)
        self.assertEqual(permitted["INBOUND"] - absorbed[f"FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_{version}"], received)
        self.assertGreater(absorbed[f"FWPS_LAYER_OUTBOUND_TRANSPORT_{version}"], sent // 2)
        return sent, received

    def test_ipv4(self):
        self.assert_counts_recomputable(self.download(V4), "V4", bytes([10, 77, 0, 2]))

    def test_ipv6(self):
        self.assert_counts_recomputable(self.download(f"[{V6}]"), "V6", bytes([0xFD, 0x77] + [0] * 13 + [2]))

    def test_without_offload(self):
        self.assert_counts_recomputable(self.download(V4, "--offload", "off"), "V4", bytes([10, 77, 0, 2]))

    def test_without_io_uring(self):
        self.assert_counts_recomputable(self.download(V4, "--io-uring", "off"), "V4", bytes([10, 77, 0, 2]))

    def test_coalescing_refused(self):
        self.download(V4, parameters=("passthrough:mode=robust", "passthrough:coalescing=refuse"))

    def test_upload_with_coalescing_refused_is_segmented_before_classification(self):
        source = self.folder / "upload"
        source.write_bytes(bytes(3_000_000))
        run = self.wfptap_test(
            "passthrough", command=["curl", "-sf", "-T", str(source), f"http://{V4}/echo", "-o", str(self.folder / "back")],
            options=["--param=passthrough:mode=robust", "--param=passthrough:coalescing=refuse"], expect=0)
        self.assertEqual((self.folder / "back").read_bytes(), source.read_bytes())
        self.assert_nothing_lost(run)
        longest = max(r["length"] for r in run.trace(layer="FWPS_LAYER_INBOUND_TRANSPORT_V4"))
        self.assertLessEqual(longest, 1500)

    def test_upload(self):
        source = self.folder / "upload"
        source.write_bytes(b"".join(i.to_bytes(4, "big") for i in range(1_000_000)))
        run = self.wfptap_test(
            "passthrough", command=["curl", "-sf", "-T", str(source), f"http://{V4}/echo", "-o", str(self.folder / "back")],
            options=["--param=passthrough:mode=robust"], expect=0)
        self.assertEqual((self.folder / "back").read_bytes(), source.read_bytes())
        self.assert_nothing_lost(run)

    def test_udp_and_ping_pass(self):
        script = f"nping --udp -p 7 -c 5 --rate 20 --data-length 64 {V4} && ping -c 3 -i 0.2 {V4} && ping -c 3 -i 0.2 {V6}"
        run = self.wfptap_test("passthrough", command=["sh", "-c", script], options=["--param=passthrough:mode=robust"],
                               expect=0)
        self.assertIn("Rcvd: 5", run.stdout)
        self.assertEqual(run.stdout.count(" 0% packet loss"), 2, run.stdout)
        self.assert_nothing_lost(run)


class UnderLoss(LiveTest):
    def test_200_parallel_downloads(self):
        script = (f"seq 200 | xargs -P 200 -I N sh -c "
                  f"'curl -sf --max-time 100 http://{V4}/bytes/1000000 | sha256sum' | sort | uniq -c")
        run = self.wfptap_test("passthrough", command=["sh", "-c", script], trace=False, pcap=False, timeout=150, expect=0,
                               options=["--param=passthrough:mode=robust", "--impair", "loss=2%,delay=5ms,reorder=5%",
                                        "--seed", "7"])
        self.assertEqual(run.stdout.split(), ["200", expected_digest(1_000_000), "-"])
        # A handle may die while its packet is queued; robust sends that one by the network way, and both calls are counted.
        injections = run.report["injections"]
        self.assertEqual(injections["inbound"]["failed"], 0, injections)
        self.assertEqual(injections["accepted"], injections["completed"], injections)
        self.assertEqual(run.report["violations"], [])
        self.assertEqual({kind: n for kind, n in run.report["objects"].items() if n}, {})


class Unload(LiveTest):
    def test_50_times_under_traffic(self):
        """The driver leaves and comes back 50 times while clients download; nobody notices, nothing leaks."""
        script = f"""
          (for i in 1 2 3 4; do
             (while [ ! -e stop ]; do curl -sf --max-time 60 http://{V4}/bytes/2000000 | sha256sum; done > sums.$i) &
           done
           wait) &
          clients=$!
          for i in $(seq 50); do
            "$WFPTAP" driver load passthrough --param passthrough:mode=robust > /dev/null || exit 9
            sleep 0.05
            "$WFPTAP" driver unload passthrough > /dev/null || exit 9
          done
          touch stop; wait $clients
          cat sums.* | sort | uniq -c"""
        run = self.wfptap_test(command=["sh", "-c", script], trace=False, pcap=False, timeout=120, expect=0)
        fields = run.stdout.split()
        self.assertEqual(fields[1:], [expected_digest(2_000_000), "-"], run.stdout)
        self.assertGreater(int(fields[0]), 20)
        self.assertEqual({k: n for k, n in run.report["objects"].items() if n}, {})
        self.assertEqual(run.report["violations"], [])


class Connect(LiveTest):
    def test_100_mb_both_ways(self):
        """The stack's active open to a kernel server that echoes: 100 MB there and back, byte for byte."""
        server = ("import socket\ns = socket.create_server((%r, 5555)); print('ready', flush=True)\nc, _ = s.accept()\n"
                  "while True:\n  d = c.recv(1 << 20)\n  if not d: break\n  c.sendall(d)\nc.close()" % HOST4)
        (self.folder / "server.py").write_text(server)
        data = self.folder / "data"
        subprocess.run(["sh", "-c", f"head -c 100000000 /dev/urandom > {data}"], check=True)
        script = (f"python3 server.py & sleep 0.5; \"$WFPTAP\" connect {HOST4} 5555 < data > back; code=$?; wait; "
                  "cmp data back && exit $code")
        self.wfptap_test(command=["sh", "-c", script], trace=False, pcap=False, timeout=120, expect=0)
