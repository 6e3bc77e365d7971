"""`test --gdb` on a terminal, as a person uses it."""
import os
import pty
import select
import subprocess
import time

from harness import PROGRAM, SLOW, V4, LiveTest, driver


class Terminal(LiveTest):
    def expect(self, text, limit=30):
        """Reads what the terminal shows until it shows `text`."""
        end = time.monotonic() + limit * SLOW
        while text not in self.shown and time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self.terminal, 65536).decode(errors="replace")
                except OSError:  # the other side is gone
                    break
        self.assertIn(text, self.shown)
        self.shown = self.shown.partition(text)[2]

    def say(self, line):
        os.write(self.terminal, line.encode() + b"\n")

    def test_a_breakpoint_in_a_driver_is_hit(self):
        self.need("gdb")
        if SLOW != 1:
            self.skipTest("a sanitizer looks for leaks at the end, which it cannot under a debugger")
        try:
            self.terminal, side = pty.openpty()
        except OSError as error:
            self.skipTest(f"no pseudo terminal is to be had here: {error}")
        self.addCleanup(os.close, self.terminal)
        self.shown = ""
        program = subprocess.Popen([PROGRAM, "test", driver("permit"), "--gdb", "--", "curl", "-sf", f"http://{V4}/"],
                                   stdin=side, stdout=side, stderr=side, start_new_session=True)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        os.close(side)
        self.expect("Then: run.")
        self.say("break DriverEntry")
        self.expect("Breakpoint 1 (DriverEntry) pending.")
        self.say("run")
        self.expect("Breakpoint 1, ")
        self.say("continue")
        self.expect("exited normally")
        self.say("quit")
        self.assertEqual(program.wait(timeout=30 * SLOW), 0)
