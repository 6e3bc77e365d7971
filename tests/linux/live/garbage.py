"""Sends random and mutated frames into the stack through a packet socket on its TAP: garbage.py ADDRESS COUNT.

Only for a namespace that a test made: it refuses an interface other than the test's own TAP.
"""
import errno
import json
import random
import socket
import subprocess
import sys
import time

address, count = sys.argv[1], int(sys.argv[2])
device = "wfp0"
subprocess.run(["curl", "-sf", "-o", "/dev/null", f"http://{address}/"], check=True)  # resolves the neighbour, too
neighbour = subprocess.run(["ip", "neigh", "show", address, "dev", device], capture_output=True, text=True, check=True)
stack_mac = bytes.fromhex(neighbour.stdout.split()[2].replace(":", ""))
link = json.loads(subprocess.run(["ip", "-j", "link", "show", device], capture_output=True, text=True, check=True).stdout)
own_mac = bytes.fromhex(link[0]["address"].replace(":", ""))
ethernet = stack_mac + own_mac
me, peer = socket.inet_aton("10.77.0.1"), socket.inet_aton(address)


def checksum(data):
    total = sum(int.from_bytes(data[i:i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, "big")


def ipv4(protocol, payload, fragment=0):
    header = bytearray(b"\x45\0" + (20 + len(payload)).to_bytes(2, "big") + random.randbytes(2)
                       + fragment.to_bytes(2, "big") + bytes([64, protocol]) + b"\0\0" + me + peer)
    header[10:12] = checksum(header)
    return b"\x08\0" + bytes(header) + payload


def ipv6(next_header, payload):
    source, target = socket.inet_pton(socket.AF_INET6, "fd77::1"), socket.inet_pton(socket.AF_INET6, "fd77::2")
    return (b"\x86\xdd\x60\0\0\0" + len(payload).to_bytes(2, "big") + bytes([next_header, 64]) + source + target + payload)


def tcp(flags):
    offset = random.choice([5, 5, 5, 6, 8, 15, 4, 0])
    segment = bytearray(random.randbytes(2) + b"\0\x50" + random.randbytes(8) + bytes([offset << 4, flags])
                        + random.randbytes(2) + b"\0\0\0\0" + random.randbytes(random.choice([0, 0, 20, 40, 400])))
    pseudo = me + peer + b"\0\x06" + len(segment).to_bytes(2, "big")
    segment[16:18] = checksum(pseudo + segment)
    return bytes(segment)


def one(rng):
    kind = rng.randrange(10)
    if kind == 0:
        return ethernet + rng.randbytes(rng.randrange(1, 1500))
    if kind == 1:
        return ethernet + b"\x08\0" + rng.randbytes(rng.randrange(0, 200))
    if kind == 2:
        return ethernet + b"\x86\xdd\x60" + rng.randbytes(rng.randrange(0, 200))
    if kind == 3:
        return ethernet + b"\x08\x06" + rng.randbytes(rng.randrange(0, 60))
    if kind == 4:
        return ethernet + ipv4(6, tcp(rng.randrange(256)))
    if kind == 5:
        return ethernet + ipv4(17, rng.randbytes(rng.randrange(0, 100)))
    if kind == 6:
        return ethernet + ipv4(1, rng.randbytes(rng.randrange(0, 100)))
    if kind == 7:
        return ethernet + ipv4(rng.choice([6, 17, 1]), rng.randbytes(rng.randrange(0, 1400)),
                               rng.choice([0x2000, 0x2001, 0x00B9, 0x1FFF, 0x3FFF]))
    if kind == 8:
        return ethernet + ipv6(rng.choice([0, 6, 17, 43, 44, 50, 58, 60, 59, 255]), rng.randbytes(rng.randrange(0, 300)))
    frame = bytearray(ethernet + ipv4(6, tcp(2)))
    for _ in range(rng.randrange(1, 6)):
        frame[rng.randrange(12, len(frame))] = rng.randrange(256)
    return bytes(frame)


def dropped():
    """Frames that the device's queue could not hold, by the kernel's count."""
    for line in open("/proc/net/dev"):
        if line.strip().startswith(device + ":"):
            return int(line.split(":")[1].split()[11])
    raise SystemExit(f"{device} is gone")


rng = random.Random(20261121)
random.seed(20261121)
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind((device, 0))
lost = dropped()
number = sent = 0
while sent < count:
    number += 1
    try:
        raw.send(one(rng))
        sent += 1
    except OSError as error:  # shorter than an Ethernet header, which the kernel refuses; or no room for a moment
        if error.errno not in (errno.EINVAL, errno.ENOBUFS):
            raise
    if number % 50 == 0 and dropped() > lost:  # a slow stack is waited for: what was dropped is sent again
        time.sleep(0.01)
        sent -= dropped() - lost
        lost = dropped()
    if number % 20_000 == 10_000:
        subprocess.run(["curl", "-sf", "--max-time", "20", "-o", "/dev/null", f"http://{address}/"], check=True)
subprocess.run(["curl", "-sf", "--max-time", "20", "-o", "/dev/null", f"http://{address}/"], check=True)
print("alive")
