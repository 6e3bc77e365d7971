"""Drivers that break one rule each: the rule is named, with the driver, and the exit code is 3."""
from harness import V4, LiveTest, driver


class Verifier(LiveTest):
    def broken(self, name, *options, expect=3, command=("curl", "-s", "-o", "/dev/null", "--max-time", "5", f"http://{V4}/")):
        run = self.wfptap_test(driver(name), command=command, options=options, trace=False, pcap=False, expect=expect)
        self.assertTrue(run.report["violations"], "nothing was noticed")
        for violation in run.report["violations"]:
            self.assertEqual(violation["driver"], name)
            self.assertTrue(violation["message"])
        return run, {violation["rule"] for violation in run.report["violations"]}

    def test_unbalanced_offset(self):
        run, rules = self.broken("bad_unbalanced")
        self.assertEqual(rules, {"OFS-UNBALANCED"})
        self.assertIn("reason=verifier code=3", run.last_line)

    def test_double_free_of_a_clone(self):
        self.assertEqual(self.broken("bad_double_free")[1], {"NBL-DOUBLE-FREE"})

    def test_leaked_clone(self):
        run, rules = self.broken("bad_leak")
        self.assertEqual(rules, {"UNLOAD-RESIDUE"})
        self.assertEqual(run.report["objects"], {"clone": 1})

    def test_leaked_reference(self):
        self.assertEqual(self.broken("bad_leak", "--param=bad_leak:what=reference")[1], {"UNLOAD-RESIDUE"})

    def test_leaked_injection_handle_and_where_it_was_made(self):
        run, rules = self.broken("bad_leak", "--param=bad_leak:what=handle", "--verify=full")
        self.assertEqual(rules, {"UNLOAD-RESIDUE"})
        self.assertEqual(run.report["objects"], {"injection_handle": 1})
        frames = run.report["violations"][0]["origins"][0]["stack"]
        self.assertTrue(all(frame["image"].endswith("/bad_leak.so") for frame in frames), frames)
        self.assertEqual(frames[0]["function"], "DriverEntry")

    def test_leaked_pool(self):
        self.assertEqual(self.broken("bad_leak", "--param=bad_leak:what=pool")[1], {"POOL-LEAK-UNLOAD"})

    def test_no_answer(self):
        self.assertEqual(self.broken("bad_answer")[1], {"ARB-ACTION-NOT-SET"})

    def test_packets_given_back_wrongly(self):
        """The engine keeps an original from being given away, and curl gets its page; the other two ways lose the SYN."""
        for what, rule, curl in (("original", "INJ-ORIGINAL", 0), ("interface", "INJ-WRONG-INTERFACE", 28),
                                 ("unaligned", "INJ-UNALIGNED-HEADER", 28)):
            with self.subTest(what):
                run, rules = self.broken("bad_inject", f"--param=bad_inject:what={what}")
                self.assertEqual(rules, {rule})
                self.assertEqual(run.report["command"]["exit_code"], curl)

    def test_a_malformed_packet_is_not_accepted(self):
        """The call succeeds, and the completion says what reports from the field say: STATUS_DATA_NOT_ACCEPTED."""
        run = self.wfptap_test(driver("bad_inject"), command=["curl", "-sf", "-o", "/dev/null", f"http://{V4}/"],
                               options=["--param=bad_inject:what=malformed"], trace=False, pcap=False, expect=0)
        self.assertIn("malformed: completed with 0xc000021b", run.stderr)
        self.assertEqual(run.report["injections"]["failed"], run.report["injections"]["accepted"])

    def test_a_violation_decides_also_when_the_command_failed(self):
        """The SYN that was absorbed at INBOUND_TRANSPORT is lost, so curl times out: that is what the driver did."""
        for options in ((), ("--expect", "28")):
            with self.subTest(options):
                run, rules = self.broken("bad_absorb_ale", *options)
                self.assertEqual(rules, {"ALE-CLASSIFY-SKIPPED"})
                self.assertIn("reason=verifier code=3", run.last_line)
                self.assertEqual(run.report["exit"], {"reason": "verifier", "code": 3})
                self.assertEqual(run.report["command"]["exit_code"], 28)


class Commands(LiveTest):
    """The program's own commands against a running daemon, as a user types them."""

    def test_show_and_filters(self):
        script = f"""
          set -e
          for topic in status flows endpoints layers callouts filters drivers objects netevents; do
            "$WFPTAP" show $topic > /dev/null; "$WFPTAP" show $topic --json | python3 -m json.tool > /dev/null
          done
          curl -sf -o /dev/null --max-time 5 http://{V4}/
          "$WFPTAP" filter add --layer OUTBOUND_TRANSPORT_V4 --action block --condition IP_PROTOCOL=6 --name no-tcp > added
          ! curl -sf -o /dev/null --connect-timeout 1 http://{V4}/
          "$WFPTAP" show filters | grep -q no-tcp
          "$WFPTAP" filter delete $(grep -o '[0-9][0-9]*' added | head -n 1)
          curl -sf -o /dev/null --max-time 5 http://{V4}/"""
        self.wfptap_test(command=["bash", "-c", script], trace=False, pcap=False, expect=0)

    def test_trace_formats(self):
        script = f"""
          set -e
          for format in line dx json; do
            "$WFPTAP" trace --layer INBOUND_TRANSPORT_V4 --format $format --count 3 > out.$format & trace=$!
            sleep 0.4; curl -sf -o /dev/null http://{V4}/; wait $trace; test -s out.$format
          done
          grep -q currentMetadataValues out.dx; python3 -c "import json; [json.loads(l) for l in open('out.json')]" """
        self.wfptap_test(command=["bash", "-c", script], trace=False, pcap=False, expect=0)

    def test_command_exit_code_timeout_and_setup_failure(self):
        self.wfptap_test(command=["sh", "-c", "exit 42"], expect=42, trace=False, pcap=False)
        run = self.wfptap_test(command=["sleep", "30"], timeout=1, trace=False, pcap=False)
        self.assertIn("reason=timeout", run.last_line)
        run = self.wfptap_test("/no/such/driver.so", command=["true"], expect=2, trace=False, pcap=False)
        self.assertIn("reason=setup code=2", run.last_line)

    def test_expected_exit_code(self):
        """A blocker's test wants curl to fail; what is expected is success, and a success that is not is none."""
        curl = ["curl", "-s", "-o", "/dev/null", "--max-time", "5", f"http://{V4}/"]
        run = self.wfptap_test(driver("block"), command=curl, options=["--expect", "28", "--param=block:where=inbound"],
                               trace=False, pcap=False, expect=0)
        self.assertIn("reason=command code=0", run.last_line)
        self.assertEqual(run.report["command"]["exit_code"], 28)
        for code, exits in (("42", 42), ("0", 1)):
            run = self.wfptap_test(command=["sh", "-c", f"exit {code}"], options=["--expect", "28"], trace=False,
                                   pcap=False, expect=exits)
            self.assertIn(f"reason=command code={exits}", run.last_line)
            self.assertIn(f"COMMAND ended with {code}, and --expect wanted 28", run.stderr)

    def test_windows_own_callout_drops_in_silence(self):
        """Stealth: FWPM_CALLOUT_WFP_TRANSPORT_LAYER_V4_SILENT_DROP at the discard layer, and a closed port does not answer."""
        script = f"""
          curl -s --connect-timeout 2 http://{V4}:999/; test $? = 7 || exit 1
          "$WFPTAP" filter add --layer INBOUND_TRANSPORT_V4_DISCARD --action callout-terminating \
            --callout '{{eda08606-2494-4d78-89bc-67837c03b969}}' || exit 2
          curl -s --connect-timeout 2 http://{V4}:999/; test $? = 28 || exit 3
          curl -sf -o /dev/null --max-time 5 http://{V4}/ || exit 4"""
        self.wfptap_test(command=["bash", "-c", script], trace=False, pcap=False, expect=0)

    def test_a_filter_that_will_never_match_is_noted(self):
        script = '"$WFPTAP" filter add --layer STREAM_V4; "$WFPTAP" show filters'
        run = self.wfptap_test(command=["sh", "-c", script], trace=False, pcap=False, expect=0)
        self.assertIn("wfptap does not ask FWPS_LAYER_STREAM_V4 yet", run.stdout)
        self.assertRegex(run.stdout, r"FWPS_LAYER_STREAM_V4 +no ")
        self.assertEqual([note["rule"] for note in run.report["notes"]], ["LAYER-NEVER-ASKED"])

    def test_tun(self):
        self.wfptap_test(command=["sh", "-c", f"curl -sf http://{V4}/bytes/100000 | wc -c && ping -c 2 -i 0.2 {V4}"],
                         options=["--tun"], expect=0, trace=False, pcap=False)
