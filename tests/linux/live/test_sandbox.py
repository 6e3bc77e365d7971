"""What a driver may ask of Linux: nothing that starts programs, looks into others or changes the system. And what is left of
the process's own rights."""
import pathlib
import platform
import subprocess
import unittest

from harness import DRIVERS, PROGRAM, SLOW, V4, DaemonTest, LiveTest, driver

NOBODY = 65534
# Name, number on x86-64, arguments: harmless ones, should the sandbox fail.
REFUSED = (("execve", 59, ()), ("execveat", 322, ()), ("fork", 57, ()), ("vfork", 58, ()), ("clone", 56, (17,)),
           ("ptrace", 101, (99,)), ("process_vm_readv", 310, ()), ("mount", 165, ()), ("umount2", 166, ()),
           ("unshare", 272, (0,)), ("setns", 308, (99,)), ("chroot", 161, ()), ("pivot_root", 155, ()), ("bpf", 321, (99,)),
           ("perf_event_open", 298, ()), ("init_module", 175, ()), ("keyctl", 250, (99,)), ("setuid", 105, (0,)),
           ("reboot", 169, ()), ("socket", 41, (2, 1)), ("ioctl", 16, (99, 0x5412)), ("kill", 62, (1, 0)),
           ("prctl", 157, (99,)), ("io_uring_setup", 425, ()), ("userfaultfd", 323, (99,)))


def parameters(number, arguments=(), at="entry"):
    values = {"number": number, "at": at, **dict(zip("abc", arguments))}
    return [f"--param=bad_syscall:{name}={value}" for name, value in values.items()]


@unittest.skipIf(platform.machine() != "x86_64", "the driver knows the calls of x86-64")
@unittest.skipIf(SLOW != 1, "there is no sandbox with a sanitizer")
class Sandbox(LiveTest):
    def call(self, number, arguments=(), at="entry", expect=3, options=(), command=("true",)):
        return self.wfptap_test(driver("bad_syscall"), command=list(command), trace=False, pcap=False, expect=expect,
                                options=[*parameters(number, arguments, at), *options])

    def assert_stopped(self, run, name, number):
        self.assertEqual(run.report["exit"], {"reason": "fault", "code": 3})
        for said in (run.stderr, run.report["fault"]):
            self.assertIn(f"*** {name} ({number}) was stopped", said)
            self.assertIn("*** driver bad_syscall, processor", said)

    def test_calls_that_no_driver_needs_are_stopped_and_named(self):
        for name, number, arguments in REFUSED:
            with self.subTest(name):
                self.assert_stopped(self.call(number, arguments), name, number)

    def test_wherever_the_driver_makes_them(self):
        curl = ("curl", "-s", "--max-time", "5", f"http://{V4}/")
        run = self.call(59, at="classify", command=curl)
        self.assert_stopped(run, "execve", 59)
        self.assertRegex(run.stderr, r"\*\*\* in callout \d+ \(filter \d+\) at FWPS_LAYER_INBOUND_TRANSPORT_V4")
        self.assertRegex(run.stderr, rf"\*\*\* packet: TCP .* > {V4}:80 \(received\)")
        self.assert_stopped(self.call(59, at="thread"), "execve", 59)

    def test_an_unknown_call_is_named_by_its_number(self):
        self.assertIn("*** a system call (999) was stopped", self.call(999).stderr)

    def test_other_calls_are_answered_and_clone3_is_said_not_to_be_there(self):
        self.assertRegex(self.call(39, expect=0).stderr, r"bad_syscall: [1-9]")
        self.assertIn("bad_syscall: -38", self.call(435, expect=0).stderr)

    def test_the_option_lets_them_through(self):
        run = self.call(272, (0,), expect=0, options=["--sandbox", "off"])
        self.assertIn("bad_syscall: 0", run.stderr)

    def test_under_a_debugger_there_is_none(self):
        self.need("gdb")
        run = self.call(272, (0,), expect=0, options=["--gdb"])
        self.assertIn("bad_syscall: 0", run.stderr + run.stdout)


@unittest.skipIf(SLOW != 1, "a sanitizer brings its own")
class Program(LiveTest):
    """What the linker and the compiler made of it."""

    def read(self, file):
        self.need("readelf")
        return subprocess.run(["readelf", "-hldsW", file], capture_output=True, text=True, check=True).stdout

    def test_tables_are_read_only_and_stacks_are_watched(self):
        for file in (PROGRAM, DRIVERS / "passthrough.so"):
            read = self.read(file)
            self.assertRegex(read, r"Type: +DYN")
            self.assertIn("GNU_RELRO", read)
            self.assertRegex(read, r"BIND_NOW|FLAGS_1.*NOW")
            self.assertIn("__stack_chk_fail", read)
            self.assertRegex(read, r"GNU_STACK .* RW ", "no code on the stack")
        self.assertRegex(self.read(PROGRAM), r"__\w+_chk@GLIBC", "sizes are checked in the C library")


class Rights(DaemonTest):
    """Of the daemon, as the system shows them."""

    def rights(self, daemon):
        for task in pathlib.Path(f"/proc/{daemon.pid}/task").iterdir():
            lines = (task / "status").read_text().splitlines()
            yield {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}

    def assert_nothing_left(self, daemon):
        threads = list(self.rights(daemon))
        self.assertGreater(len(threads), 1)
        for status in threads:
            for mask in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                self.assertEqual(int(status[mask], 16), 0, mask)
            self.assertEqual(status["NoNewPrivs"], "1")
            if SLOW == 1:
                self.assertEqual(status["Seccomp"], "2", "a filter")

    def test_root_keeps_none(self):
        daemon = self.start("--service", "http", "--driver", "passthrough")
        self.assert_nothing_left(daemon)
        self.assertEqual(self.inside(daemon, "curl", "-sf", "-o", "/dev/null", f"http://{V4}/").returncode, 0)

    def test_another_user_has_none_and_cannot_look_into_it(self):
        daemon = self.start("--service", "http", "--user", "nobody")
        self.assert_nothing_left(daemon)
        if SLOW == 1:
            self.assertEqual(pathlib.Path(f"/proc/{daemon.pid}/environ").stat().st_uid, 0, "it is not dumpable")
        self.assertEqual({int(user) for status in self.rights(daemon) for user in status["Uid"].split()}, {NOBODY})

    def test_without_a_sandbox_its_user_may_look_into_it(self):
        daemon = self.start("--user", "nobody", "--sandbox", "off")
        self.assertEqual(pathlib.Path(f"/proc/{daemon.pid}/environ").stat().st_uid, NOBODY)
        self.assertEqual({status["Seccomp"] for status in self.rights(daemon)}, {"0"})

    def test_drivers_come_and_go_and_stopped_ones_are_named(self):
        daemon = self.start("--service", "http")
        for _ in range(3):
            self.assertEqual(self.client("driver", "load", "passthrough").returncode, 0)
            self.assertEqual(self.inside(daemon, "curl", "-sf", "-o", "/dev/null", f"http://{V4}/").returncode, 0)
            self.assertEqual(self.client("driver", "unload", "passthrough").returncode, 0)
        if SLOW != 1 or platform.machine() != "x86_64":
            return
        self.client("driver", "load", str(driver("bad_syscall")), "--param", "number=59")
        self.assertNotEqual(daemon.wait(30), 0)
        self.assertIn("*** execve (59) was stopped", self.said())
        self.assertIn("*** driver bad_syscall, processor", self.said())
