"""Fills the stack's receive memory from outside and asks meanwhile whether it is still there: fill.py KIND CONNECTIONS SEGMENTS [keep].

KIND: `bytes`, one-byte segments with a hole before each; `large`, segments of 60 KB behind one hole; `both`, half of
the connections each; `unread`, in-order bytes to a service that answers and whose answers nobody reads. Everything
stays in place until the end and beyond it; a loaded driver is unloaded as the last thing, or with `keep` by whoever
ends the program. Prints what it saw as one JSON object.
"""
import json
import os
import subprocess
import sys
import time

from raw_peer import Peer, daemon_pid, resident_bytes

kind, count, segments = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
wfptap, address = os.environ["WFPTAP"], os.environ["WFPTAP_ADDRESS"]
ECHO, DISCARD, LARGE = 7, 9, 60_000
SLOW = float(os.environ.get("WFPTAP_TEST_SLOWNESS", "1"))


def show(topic):
    return json.loads(subprocess.run([wfptap, "show", topic, "--json"], capture_output=True, check=True).stdout)


def one_byte_segments(connections):
    for i in range(segments):
        for connection in connections:
            connection.send(1 + 2 * i, b"x")


def large_segments(connections):
    payload = b"y" * LARGE
    for i in range(segments):
        for connection in connections:
            connection.send(1 + LARGE * i, payload)


def unread(connections):
    payload = b"z" * LARGE
    for i in range(segments):
        for connection in connections:
            connection.send(LARGE * i, payload)


def probe(peer):
    """What a host answers while others fill it: ARP, a ping, and a new connection with a page over it."""
    arp = peer.ask()  # first, until it is answered: what was just sent may still fill the device's own queue
    ping = subprocess.run(["ping", "-c", "3", "-i", "0.2", "-W", "5", address], capture_output=True, text=True)
    page = subprocess.run(["curl", "-sf", "--max-time", str(20 * SLOW), f"http://{address}/bytes/20000"],
                          capture_output=True)
    return {"ping": " 0% packet loss" in ping.stdout, "arp": arp, "curl": len(page.stdout) == 20000}


peer, pid = Peer(), daemon_pid()
result = {"before": resident_bytes(pid), "probes": [], "resident": 0}
connections = peer.connect(count, ECHO if kind == "unread" else DISCARD)
result["connected"] = len(connections)
half = len(connections) // 2
parts = {"bytes": [(one_byte_segments, connections)], "large": [(large_segments, connections)],
         "both": [(one_byte_segments, connections[:half]), (large_segments, connections[half:])],
         "unread": [(unread, connections)]}[kind]
for repeat in range(2):  # what was lost or pruned comes again
    for fill, chosen in parts:
        fill(chosen)
        result["resident"] = max(result["resident"], resident_bytes(pid))
        result["probes"].append(probe(peer))
result["status"] = show("status")
result["resets"] = sum(c.is_reset for c in connections)
result["reported_blocks"] = sum(bool(c.sack) for c in connections)
result["resident"] = max(result["resident"], resident_bytes(pid))
drivers = [] if "keep" in sys.argv[4:] else [row["name"] for row in show("drivers")["drivers"]]
for driver in drivers:  # while every hole is there and nothing of it will be filled
    begin = time.monotonic()
    unload = subprocess.run([wfptap, "driver", "unload", driver], capture_output=True, text=True, timeout=60 * SLOW)
    result["unload"] = {"code": unload.returncode, "text": unload.stdout + unload.stderr,
                        "seconds": time.monotonic() - begin}
result["probes"].append(probe(peer))
peer.close()
result["ended"] = time.time()
print(json.dumps(result))
