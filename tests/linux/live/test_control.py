"""The control socket where something is missing: a peer that answers, a client that lives, descriptors, threads, room."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from harness import DRIVERS, HOST4, PROGRAM, SLOW, DaemonTest, LiveTest

NOBODY = 65534
NOT_THERE = "10.77.0.99"
# The kernel hears a SYN and answers ARP, and its SYN-ACK finds no way out: a connect waits as long as TCP does.
SILENCE = f"sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.wfp0.rp_filter=0 && ip rule add from {HOST4} blackhole"


class Ending(LiveTest):
    """The stack ends although a connect still waits for its peer: the report is there, and its reason is COMMAND's end."""

    def ends(self, script, *drivers):
        run = self.wfptap_test(*drivers, command=["sh", "-c", script], timeout=20, trace=False, pcap=False, expect=0)
        self.assertEqual(run.report["exit"], {"reason": "command", "code": 0})
        return run

    def test_a_neighbour_that_does_not_answer(self):
        for address in (NOT_THERE, "fd77::99"):
            run = self.ends(f"{PROGRAM} connect {address} 80 </dev/null & sleep 0.3; true")
            self.assertEqual(run.report["packets"]["received"] > 0, True)

    def test_a_syn_without_answer(self):
        self.ends(f"{SILENCE}; {PROGRAM} connect {HOST4} 80 </dev/null & sleep 0.3; true")

    def test_a_client_that_was_killed_before(self):
        self.ends(f"timeout 0.5 {PROGRAM} connect {NOT_THERE} 80 </dev/null; true")

    def test_with_a_driver(self):
        self.ends(f"timeout 0.5 {PROGRAM} connect {NOT_THERE} 80 </dev/null; true", DRIVERS / "permit.so")


class Clients(DaemonTest):
    def connect(self, *arguments, **options):
        client = subprocess.Popen([PROGRAM, "connect", "--control", str(self.control), *arguments],
                                  stdin=options.pop("stdin", subprocess.DEVNULL), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(lambda: (client.poll() is None and client.kill(), client.wait(), client.stderr.close()))
        return client

    def start_silent(self, *options):
        daemon = self.start(*options)
        silenced = self.inside(daemon, "sh", "-c", SILENCE)
        self.assertEqual(silenced.returncode, 0, silenced.stderr)
        return daemon

    def idle(self):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(str(self.control))
        return client

    def end(self, daemon):
        daemon.terminate()
        self.assertEqual(daemon.wait(30 * SLOW), 0)
        self.assertTrue(self.said().endswith("wfptap: exit reason=signal code=0\n"), self.said())

    def stop(self, daemon):
        daemon.send_signal(signal.SIGSTOP)
        tasks = pathlib.Path(f"/proc/{daemon.pid}/task")
        while any("State:\tT" not in (task / "status").read_text() for task in tasks.iterdir()):
            time.sleep(0.01)

    def limit(self, daemon, what, user=0):
        subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "prlimit",
                        f"--pid={daemon.pid}", what], check=True)

    def test_a_connect_that_waits_is_told_that_the_daemon_ends(self):
        daemon = self.start_silent()
        client = self.connect(HOST4, "80")
        self.assertIn(f"no answer from {HOST4} port 80 yet; waiting (Ctrl-C ends it)", client.stderr.readline())
        self.end(daemon)
        self.assertEqual(client.stderr.readline(), "wfptap: the daemon is ending\n")
        self.assertEqual(client.wait(30 * SLOW), 1)

    def test_a_peer_that_reads_nothing_keeps_nobody_waiting(self):
        daemon = self.start()
        server = subprocess.Popen(
            ["nsenter", "--net", f"--target={daemon.pid}", "python3", "-c",
             "import socket, time; s = socket.socket(); s.bind(('10.77.0.1', 8080)); s.listen(1); print('ready', flush=True);"
             " c, _ = s.accept(); print('accepted', flush=True); time.sleep(600)"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (server.kill(), server.wait(), server.stdout.close()))
        self.assertEqual(server.stdout.readline(), "ready\n")
        with open("/dev/zero", "rb") as zeros:
            client = self.connect("10.77.0.1", "8080", stdin=zeros)
        self.assertEqual(server.stdout.readline(), "accepted\n")
        self.assertEqual(self.client("show", "status").returncode, 0)
        self.end(daemon)
        self.assertEqual(client.stderr.readline(), "wfptap: connection broken: the daemon is ending\n")

    def test_ninety_killed_clients_leave_nothing(self):
        self.start_silent()
        for _ in range(3):
            clients = [self.connect(HOST4, "80") for _ in range(30)]
            deadline = time.monotonic() + 20 * SLOW
            while self.syn_sent() < 30 and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(self.syn_sent(), 30)
            for client in clients:
                client.kill()
                client.wait()
            while self.syn_sent() > 0 and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(self.syn_sent(), 0)

    def syn_sent(self):
        shown = self.client("show", "endpoints", "--json")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        return shown.stdout.count("SYN_SENT")

    def test_idle_clients_make_room_for_one_that_asks(self):
        self.start()
        idle = [self.idle() for _ in range(64)]
        time.sleep(0.3)  # who has just come is given the time to ask
        self.assertIn("version", self.client("show", "status").stdout)
        self.assertIn("its place was needed", json.loads(idle[0].recv(1000))["error"])

    def test_without_threads_to_spare_clients_are_served(self):
        daemon = self.start_silent("--user", "nobody")
        self.limit(daemon, "--nproc=1", NOBODY)
        self.assertIn("version", self.client("show", "status").stdout)
        waiting = self.connect(HOST4, "80")
        self.assertIn("no answer", waiting.stderr.readline())
        self.assertIn("SYN_SENT", self.client("show", "endpoints").stdout)
        self.end(daemon)

    def test_a_daemon_that_gets_no_thread_says_so(self):
        daemon = self.start("--user", "nobody", "--log-level", "error", expect_ready=False, wrapper=["prlimit", "--nproc=0"])
        self.assertEqual(daemon.wait(30 * SLOW), 2)
        self.assertIn("wfptap: cannot start a thread: Resource temporarily unavailable; raise the limit", self.said())
        self.assertTrue(self.said().endswith("wfptap: exit reason=setup code=2\n"), self.said())

    def test_no_thread_keeps_a_privilege(self):
        daemon = self.start()
        for task in pathlib.Path(f"/proc/{daemon.pid}/task").iterdir():
            status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
            self.assertEqual(int(status["CapEff"], 16) | int(status["CapPrm"], 16), 0, (task / "comm").read_text())
            self.assertEqual(status["NoNewPrivs"].strip(), "1")

    def test_without_descriptors_a_client_is_told_so_and_later_ones_are_served(self):
        daemon = self.start()
        used = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        self.limit(daemon, f"--nofile={used + 2}")
        idle = [self.idle() for _ in range(4)]
        refused = self.client("show", "status")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("the daemon has no file descriptors left", refused.stderr)
        for client in idle:
            client.close()
        self.assertIn("version", self.client("show", "status").stdout)
        self.assertEqual(self.said().count("no file descriptors are left for clients"), 1)
        self.end(daemon)

    def test_a_daemon_that_takes_no_clients_holds_nobody_up(self):
        daemon = self.start()
        self.stop(daemon)
        self.addCleanup(daemon.send_signal, signal.SIGCONT)
        waiting, full = [], False
        while not full:
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            self.addCleanup(client.close)
            full = client.connect_ex(str(self.control)) != 0
            waiting.append(client)
        self.assertGreater(len(waiting), 64)
        shown = self.client("show", "status")
        self.assertEqual(shown.returncode, 2)
        self.assertIn("takes no more clients", shown.stderr)
        second = self.inside(daemon, PROGRAM, "run", "--tap", "wfpb", "--control", str(self.control))
        self.assertEqual(second.returncode, 2)
        self.assertIn("another daemon uses it; choose another one with --control", second.stderr)

    def test_a_daemon_that_is_stopped_is_spoken_of(self):
        daemon = self.start()
        self.stop(daemon)
        shown = subprocess.Popen([PROGRAM, "show", "status", "--control", str(self.control)], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        self.assertIn("the daemon has not answered yet", shown.stderr.readline())
        daemon.send_signal(signal.SIGCONT)
        self.assertIn("version", shown.communicate(timeout=30 * SLOW)[0])


class LostDevice(DaemonTest):
    """Somebody deletes the TAP under the daemon."""

    def test_the_daemon_says_so_and_ends_with_a_code_of_its_own(self):
        daemon = self.start("--report", str(self.folder / "report.json"))
        self.assertEqual(self.inside(daemon, "ip", "link", "delete", "wfp0").returncode, 0)
        self.assertEqual(daemon.wait(30 * SLOW), 2)
        self.assertIn("the device wfp0 has gone: File descriptor in bad state; nothing is received or sent", self.said())
        self.assertTrue(self.said().endswith("wfptap: exit reason=device code=2\n"), self.said())
        report = json.loads((self.folder / "report.json").read_text())
        self.assertEqual(report["exit"], {"reason": "device", "code": 2})

    def test_it_stays_when_told_to(self):
        daemon = self.start("--on-device-loss", "stay")
        self.assertEqual(self.inside(daemon, "ip", "link", "delete", "wfp0").returncode, 0)
        while "has gone" not in self.said():
            time.sleep(0.05)
        self.assertIn("wfp0 (gone: File descriptor in bad state)", self.client("show", "status").stdout)
        self.assertEqual(self.client("driver", "load", str(DRIVERS / "permit.so")).returncode, 0)
        daemon.terminate()
        self.assertEqual(daemon.wait(30 * SLOW), 2)
        self.assertTrue(self.said().endswith("wfptap: exit reason=device code=2\n"), self.said())

    def test_a_run_whose_device_went_is_no_success(self):
        run = self.wfptap_test(command=["ip", "link", "delete", "wfp0"], expect=2, trace=False, pcap=False)
        self.assertEqual(run.report["exit"], {"reason": "device", "code": 2})
        self.assertIn("the device wfp0 has gone", run.stderr)


class ForeignFolder(DaemonTest):
    """The socket's folder belongs to the user of --user, who swaps files in it while the daemon is still root."""

    def test_what_takes_the_sockets_place_is_not_given_away(self):
        precious = self.folder / "precious"
        precious.write_text("root's")
        theirs = self.folder / "theirs"
        theirs.mkdir()
        shutil.chown(theirs, NOBODY, NOBODY)
        self.control = theirs / "control"
        swap = (f"import os, time\nend = time.monotonic() + {20 * SLOW}\nos.symlink({str(precious)!r}, {str(theirs / 'link')!r})\nprint('ready', flush=True)\n"
                f"while not os.path.lexists({str(self.control)!r}) and time.monotonic() < end: pass\n"
                f"os.rename({str(theirs / 'link')!r}, {str(self.control)!r})\nprint('swapped', flush=True)\n")
        attacker = subprocess.Popen(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "python3", "-c",
                                     swap], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (attacker.poll() is None and attacker.kill(), attacker.wait(), attacker.stdout.close()))
        self.assertEqual(attacker.stdout.readline(), "ready\n")
        daemon = self.start("--user", "nobody", expect_ready=False)
        self.assertEqual(attacker.stdout.readline(), "swapped\n")
        if not self.ended_or_ready(daemon):
            self.fail(self.said())
        self.assertEqual(precious.stat().st_uid, 0)
        self.assertEqual(precious.read_text(), "root's")

    def ended_or_ready(self, daemon):
        for _ in range(int(200 * SLOW)):
            if daemon.poll() is not None or "READY" in self.notice():
                return True
        return False

    def notice(self):
        self.notices.settimeout(0.1)
        try:
            return self.notices.recv(100).decode()
        except TimeoutError:
            return ""

    def test_recordings_and_reports_do_not_follow_anothers_link(self):
        precious = self.folder / "precious"
        precious.write_text("root's")
        shared = self.folder / "shared"
        shared.mkdir()
        shared.chmod(0o1777)
        (shared / "link").symlink_to(precious)
        os.chown(shared / "link", NOBODY, NOBODY, follow_symlinks=False)
        for option in ("--pcap", "--trace", "--report"):
            for command in (["test", option, str(shared / "link"), "--", "true"], ["run", option, str(shared / "link")]):
                refused = subprocess.run(["unshare", "--net", PROGRAM, *command], capture_output=True, text=True,
                                         timeout=30 * SLOW)
                self.assertEqual(refused.returncode, 2, refused.stderr)
                self.assertRegex(refused.stderr, rf"{option}:? {shared}/link: leads through a symbolic link of another user", refused.stderr)
        self.assertEqual(precious.read_text(), "root's")

    def test_recordings_are_private(self):
        run = self.wfptap_test(command=["true"], expect=0)
        for name in ("frames.pcap", "trace.jsonl"):
            self.assertEqual((run.folder / name).stat().st_mode & 0o777, 0o600)


class Report(LiveTest):
    def test_says_what_ran_and_goes_to_standard_output_when_asked(self):
        """So that a run can be repeated: version, seed, options, and which build of the driver it was."""
        file = DRIVERS / "permit.so"
        run = self.wfptap_test(file, command=["true"], options=["--seed", "42", "--report", "-"], trace=False, pcap=False)
        self.assertEqual(run.code, 0, run.stderr)
        report = json.loads(run.stdout)
        version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
        self.assertEqual("wfptap " + report["run"]["version"], version.strip())
        self.assertEqual(report["run"]["seed"], 42)
        self.assertIn("--seed", report["run"]["options"])
        self.assertNotIn("true", report["run"]["options"], "COMMAND has a place of its own")
        self.assertEqual(report["drivers"][0]["sha256"], hashlib.sha256(file.read_bytes()).hexdigest())

    def test_trace_to_standard_output(self):
        run = self.wfptap_test(command=["ping", "-c", "1", "-q", "10.77.0.2"], options=["--trace", "-"], trace=False,
                               pcap=False, expect=0)
        records = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
        self.assertIn("FWPS_LAYER_INBOUND_TRANSPORT_V4", {record["layer"] for record in records})
        times = [record["time_ns"] for record in records]
        self.assertEqual(times, sorted(times))
        self.assertFalse((self.folder / "-").exists())
