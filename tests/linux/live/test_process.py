"""The program as a process: the daemon of `wfptap run`, another user, no root, the debugger, a driver out of this tree."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from harness import DRIVERS, PROGRAM, SLOW, V4, DaemonTest, LiveTest

NOBODY = 65534
DRIVER = r"""
#include <ntddk.h>
#include <fwpsk.h>
#include <fwpmk.h>

static const GUID MyKey = {0x6d2b4c10, 0x51aa, 0x4e0f, {1, 2, 3, 4, 5, 6, 7, 8}};
static HANDLE Engine;
static UINT32 CalloutId;
static volatile LONG Seen;

static void NTAPI MyClassify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata, void* Data,
                             const void* Context, const FWPS_FILTER1* Filter, UINT64 Flow, FWPS_CLASSIFY_OUT0* Out) {
  InterlockedIncrement(&Seen);
  if (Out->rights & FWPS_RIGHT_ACTION_WRITE) Out->actionType = FWP_ACTION_PERMIT;
}

static NTSTATUS NTAPI MyNotify(FWPS_CALLOUT_NOTIFY_TYPE Type, const GUID* Key, FWPS_FILTER1* Filter) {
  return STATUS_SUCCESS;
}

static VOID MyUnload(PDRIVER_OBJECT DriverObject) {
  FwpmEngineClose0(Engine);
  FwpsCalloutUnregisterById0(CalloutId);
  DbgPrint("saw %d packets\n", Seen);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  FWPS_CALLOUT1 callout = {.calloutKey = MyKey, .classifyFn = MyClassify, .notifyFn = MyNotify};
  FWPM_SESSION0 session = {.flags = FWPM_SESSION_FLAG_DYNAMIC};
  FWPM_CALLOUT0 object = {.calloutKey = MyKey, .displayData.name = (PWSTR)L"mydriver"};
  FWPM_FILTER0 filter = {.displayData.name = (PWSTR)L"mydriver"};
  NTSTATUS status = FwpsCalloutRegister1(DriverObject, &callout, &CalloutId);

  DriverObject->DriverUnload = MyUnload;
  object.applicableLayer = filter.layerKey = FWPM_LAYER_INBOUND_TRANSPORT_V4;
  filter.action.type = FWP_ACTION_CALLOUT_TERMINATING;
  filter.action.calloutKey = MyKey;
  if (NT_SUCCESS(status)) status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &Engine);
  if (NT_SUCCESS(status)) status = FwpmCalloutAdd0(Engine, &object, NULL, NULL);
  if (NT_SUCCESS(status)) status = FwpmFilterAdd0(Engine, &filter, NULL, NULL);
  return status;
}
"""
BODY_ONLY = "#include <ntddk.h>\nNTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING Path) { %s }\n"


class OwnDriver(LiveTest):
    """As a driver's author: headers and options from the installation, the driver's source as on Windows."""

    @classmethod
    def setUpClass(cls):
        cls.prefix = pathlib.Path(tempfile.mkdtemp(prefix="wfptap-installed-"))
        cls.addClassCleanup(shutil.rmtree, cls.prefix, ignore_errors=True)
        subprocess.run(["cmake", "--install", pathlib.Path(PROGRAM).parent, "--prefix", cls.prefix], check=True,
                       capture_output=True)

    def build(self, name, source):
        (self.folder / f"{name}.c").write_text(source)
        subprocess.run(f"cc {name}.c $(pkg-config --cflags --libs wfptap-driver) -o {name}.so", shell=True, check=True,
                       cwd=self.folder, env={**os.environ, "PKG_CONFIG_PATH": str(self.prefix / "lib/pkgconfig")})
        return self.folder / f"{name}.so"

    def installed(self, *drivers, **more):
        return self.wfptap_test(*drivers, program=str(self.prefix / "bin/wfptap"), trace=False, pcap=False, **more)

    def test_counts_what_curl_sends(self):
        run = self.installed(self.build("mydriver", DRIVER), command=["curl", "-sf", f"http://{V4}/"], expect=0)
        self.assertRegex(run.stderr, r"mydriver: saw [1-9]")
        self.assertEqual(run.report["violations"], [])

    def test_the_installed_passthrough_is_found_by_name(self):
        self.installed("passthrough", command=["curl", "-sf", f"http://{V4}/"], expect=0)

    def test_what_is_wrong_with_a_driver_is_said(self):
        for source, sentence in (
                ("return FwpsStreamContinue0();", "needs FwpsStreamContinue0 (fwpsk.h), which wfptap does not have yet"),
                ("return FwpsClassfyMe0();", "needs FwpsClassfyMe0, which wfptap does not have; no documented function"),
                ('DbgPrint("no luck"); return STATUS_INSUFFICIENT_RESOURCES;', "DriverEntry failed with 0xc000009a (STATUS_INSUFFICIENT_RESOURCES)")):
            broken = self.build("broken", "int FwpsStreamContinue0(void);\nint FwpsClassfyMe0(void);\n" + BODY_ONLY % source)
            run = self.installed(broken, command=["true"], expect=2)
            self.assertIn(sentence, run.stderr)
            self.assertIn(sentence, run.report["problems"][0])
            self.assertEqual(run.last_line, "wfptap: exit reason=setup code=2")

    def test_a_driver_of_other_headers_is_refused(self):
        others = self.build("others", "int DriverEntry(void* d, void* p) { (void)d, (void)p; return 0; }\n")
        run = self.installed(others, command=["true"], expect=2)
        self.assertIn("does not say which layout of the Windows structures it was built against", run.stderr)
        self.assertIn("rebuild it with the headers of this wfptap", run.report["problems"][0])

    def test_a_driver_without_unload_is_named(self):
        run = self.installed(self.build("stays", BODY_ONLY % "return STATUS_SUCCESS;"), command=["true"], expect=0)
        self.assertIn("driver stays: loaded, NOT unloaded: it has no DriverUnload", run.stderr)

    def test_gdb_runs_a_driver(self):
        self.need("gdb")
        run = self.installed(self.build("mydriver", DRIVER), command=["curl", "-sf", f"http://{V4}/"], options=["--gdb"],
                             expect=0)
        self.assertRegex(run.stderr + run.stdout, r"mydriver: saw [1-9]")

    def test_gdb_keeps_the_private_control_socket_and_says_why_it_cannot_start(self):
        self.need("gdb")
        run = self.installed(command=["sh", "-c", "echo at $WFPTAP_CONTROL"], options=["--gdb"], expect=0)
        self.assertRegex(run.stdout, r"at /.*/control\b")
        run = self.installed(command=["true"], options=["--gdb", "--control", "/nowhere/control"], expect=2)
        self.assertIn("/nowhere/control", run.stderr)
        self.assertEqual(run.last_line, "wfptap: exit reason=setup code=2")

    def test_gdb_shows_where_a_driver_faults(self):
        self.need("gdb")
        crash = self.build("crash", BODY_ONLY % "*(volatile int*)16 = 1; return STATUS_SUCCESS;")
        run = self.installed(crash, command=["true"], options=["--gdb"], expect=3)
        self.assertRegex(run.stdout, r"#0 .* DriverEntry \(")
        self.assertEqual(run.last_line, "wfptap: exit reason=fault code=3")

    def test_a_fault_reads_like_a_bug_check(self):
        crash = self.build("crash", BODY_ONLY % "*(volatile int*)16 = 1; return STATUS_SUCCESS;")
        run = self.installed(crash, command=["true"], expect=3)
        self.assertEqual(run.report["exit"], {"reason": "fault", "code": 3})
        if SLOW == 1:  # a sanitizer reports it in its own words
            self.assertIn("*** driver crash, processor 0, PASSIVE_LEVEL", run.stderr)
            self.assertIn("PAGE_FAULT_IN_NONPAGED_AREA", run.report["fault"])
            self.assertIn("the same run with --gdb stops where it happened", run.stderr)

    def test_what_led_to_a_fault_can_be_read(self):
        crash = self.build("crash", DRIVER.replace("InterlockedIncrement(&Seen);",
                                                   "if (InterlockedIncrement(&Seen) == 20) *(volatile int*)16 = 1;"))
        run = self.wfptap_test(crash, program=str(self.prefix / "bin/wfptap"), expect=3,
                               command=["curl", "-s", *[f"http://{V4}/{i}" for i in range(20)]])
        if SLOW != 1:  # a sanitizer reports it in its own words
            return
        for said in (run.stderr, run.report["fault"]):
            self.assertRegex(said, r"\*\*\* in callout \d+ \(filter \d+\) at FWPS_LAYER_INBOUND_TRANSPORT_V4")
            self.assertRegex(said, rf"\*\*\* packet: TCP .* > {V4}:80 \(received\)")
        asked = list(run.trace(layer="FWPS_LAYER_INBOUND_TRANSPORT_V4"))
        self.assertEqual(len(asked), 20, "the last is the one that the fault struck in")
        self.assertEqual(asked[-1]["callouts"][-1]["action"], "fault", asked[-1])
        received = [frame for frame in run.frames() if frame.protocol == 6 and frame.dport == 80]
        self.assertEqual(len(received), 20)

    def test_a_driver_that_never_unloads_is_spoken_of_and_can_be_ended(self):
        hang = self.build("hang", BODY_ONLY.replace("NTSTATUS DriverEntry", "static VOID Unload(PDRIVER_OBJECT Object) "
                          "{ KEVENT never; KeInitializeEvent(&never, NotificationEvent, FALSE);"
                          " KeWaitForSingleObject(&never, Executive, KernelMode, FALSE, NULL); }\n"
                          "NTSTATUS DriverEntry") % "DriverObject->DriverUnload = Unload; return STATUS_SUCCESS;")
        run = subprocess.Popen([PROGRAM, "test", str(hang), "--", "true"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (run.poll() is None and run.kill(), run.wait(), run.stderr.close()))
        said = next((line for line in run.stderr if "waiting for" in line), "nothing")
        self.assertIn("the drivers to be unloaded; at most 120 s, and Ctrl-C twice ends it at once", said)
        for sentence in ("once more kills the stack", "exit reason=signal code=143"):
            run.terminate()
            self.assertIn(sentence, run.stderr.readline())
        self.assertEqual(run.wait(30 * SLOW), 143)


class Rootless(LiveTest):
    def test_everything_works_for_an_ordinary_user(self):
        """Whatever the machine's /dev/net/tun allows, here it is open to all, as on an ordinary Debian."""
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        if subprocess.run([*user, "unshare", "--user", "--net", "true"], capture_output=True).returncode != 0:
            self.skipTest("this machine does not let an ordinary user make user namespaces")
        self.folder.chmod(0o755)  # the build may lie where only its owner may look
        (self.folder / "drivers").mkdir()
        program = shutil.copy(PROGRAM, self.folder)
        shutil.copy(DRIVERS / "passthrough.so", self.folder / "drivers")
        script = f"""
          mknod -m 666 {self.folder}/tun c 10 200 && mount --bind {self.folder}/tun /dev/net/tun &&
          exec {' '.join(user)} {program} test passthrough --timeout 60 -- sh -c '
            curl -sf http://{V4}/bytes/1000000 | wc -c; ping -c 2 -i 0.2 {V4}; nping --tcp -p 80 -c 1 {V4};
            {program} show status > /dev/null && echo shown'"""
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=120,
                              cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.split()[0], "1000000")
        self.assertIn(" 0% packet loss", done.stdout)
        self.assertIn("Rcvd: 1", done.stdout)
        self.assertIn("shown", done.stdout)
        self.assertIn("violations: 0", done.stderr)


class Daemon(DaemonTest):
    """`wfptap run` in a namespace of its own."""

    def test_systemd_and_descriptor_are_told_and_ctrl_c_ends_it(self):
        reading, writing = os.pipe()
        self.pass_fds = (writing,)
        daemon = self.start("--service", "http", "--ready-fd", str(writing))
        os.close(writing)
        with os.fdopen(reading) as ready:
            self.assertEqual(ready.read(), "ready\n", "and it is closed")
        self.assertEqual(self.inside(daemon, "curl", "-sf", "-o", "/dev/null", f"http://{V4}/").returncode, 0)
        daemon.send_signal(signal.SIGINT)
        self.assertEqual(self.notices.recv(100), b"STOPPING=1\n")
        self.assertEqual(daemon.wait(30 * SLOW), 0)
        self.assertTrue(self.said().endswith("wfptap: exit reason=signal code=0\n"))
        self.assertFalse(self.control.exists())

    def test_another_user(self):
        shutil.copy(DRIVERS / "permit.so", self.folder)
        daemon = self.start("--service", "http", "--user", "nobody", "--driver", str(self.folder / "permit.so"))
        lines = pathlib.Path(f"/proc/{daemon.pid}/status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        self.assertEqual(set(status["Uid"].split()), {str(NOBODY)})
        self.assertEqual(int(status["CapEff"], 16) | int(status["CapPrm"], 16), 0)
        self.assertEqual(status["NoNewPrivs"].strip(), "1")
        self.assertEqual(self.control.stat().st_uid, NOBODY)
        self.assertEqual(self.inside(daemon, "curl", "-sf", "-o", "/dev/null", f"http://{V4}/").returncode, 0)
        self.assertIn("permit", self.client("show", "drivers").stdout)
        self.assertEqual(self.client("driver", "unload", "permit").returncode, 0)
        daemon.terminate()
        self.assertEqual(daemon.wait(30 * SLOW), 0)

    def test_several_shells(self):
        daemon = self.start("--service", "http", "--service", "echo")
        trace = subprocess.Popen([PROGRAM, "trace", "--count", "3", "--control", str(self.control)], stdout=subprocess.PIPE,
                                 text=True)
        time.sleep(0.5 * SLOW)
        loaded = self.client("driver", "load", "passthrough", "--param", "mode=robust")
        self.assertEqual(loaded.stdout, "loaded: passthrough\n", loaded.stderr)
        self.assertEqual(self.inside(daemon, "curl", "-sf", "-o", "/dev/null", f"http://{V4}/").returncode, 0)
        self.assertEqual(len(trace.communicate(timeout=20 * SLOW)[0].splitlines()), 3)
        self.assertEqual(self.client("connect", "10.77.0.1", "9").returncode, 1)
        self.assertIn("passthrough is loaded already", self.client("driver", "load", "passthrough").stderr)
        self.assertIn("http", self.client("show", "endpoints").stdout)

    def test_what_an_unloaded_driver_left_is_said(self):
        daemon = self.start("--service", "http")
        self.assertEqual(self.client("driver", "load", str(DRIVERS / "bad_leak.so"), "--param", "what=pool").returncode, 0)
        self.assertEqual(self.inside(daemon, "curl", "-sf", "-o", "/dev/null", f"http://{V4}/").returncode, 0)
        unloaded = self.client("driver", "unload", "bad_leak")
        self.assertEqual(unloaded.returncode, 1)
        self.assertIn("driver bad_leak is unloaded, but left behind", unloaded.stderr)
        self.assertRegex(unloaded.stderr, r"\n  .*pool")
        self.assertIn("unloaded", self.client("driver", "list").stdout)
        again = self.client("driver", "load", str(DRIVERS / "bad_leak.so"), "--param", "passthrough:mode=naive")
        self.assertEqual(again.returncode, 2)
        # Its parameter went with it: without one it leaks what it leaks by default.
        self.assertEqual(self.client("driver", "load", str(DRIVERS / "bad_leak.so")).returncode, 0)
        self.assertEqual(self.inside(daemon, "curl", "-sf", "-o", "/dev/null", f"http://{V4}/").returncode, 0)
        unloaded = self.client("driver", "unload", "bad_leak")
        self.assertRegex(unloaded.stderr, r"\n  .*1 clone")

    def test_a_second_daemon_is_told_what_is_taken(self):
        daemon = self.start("--tap", "wfpa")
        again = self.inside(daemon, PROGRAM, "run", "--tap", "wfpa", "--control", str(self.folder / "other"))
        self.assertEqual(again.returncode, 2)
        self.assertIn("wfpa: Device or resource busy (another program holds it", again.stderr)
        again = self.inside(daemon, PROGRAM, "run", "--tap", "wfpb", "--control", str(self.control))
        self.assertEqual(again.returncode, 2)
        self.assertIn("another daemon uses it; choose another one with --control", again.stderr)

    def test_a_ready_descriptor_that_nobody_opened_is_refused(self):
        daemon = self.start("--ready-fd", "77", expect_ready=False)
        self.assertEqual(daemon.wait(30 * SLOW), 2)
        self.assertIn("--ready-fd 77 is not open", self.said())

