"""A peer of our own making on a packet socket: odd_peer.py WHAT. Speaks to the stack from 10.77.0.50 with an address of
its own, beside the kernel. Only for a namespace that a test made.

Each scene ends with exit code 0 when it saw what is right, else with a message.
"""
import os
import select
import socket
import subprocess
import sys
import time

DEVICE, STACK, ME = "wfp0", "10.77.0.2", "10.77.0.50"
MAC, ALL = bytes.fromhex("02aabbccdd01"), b"\xff" * 6
PATIENCE = 60  # seconds, for whatever is certain to come; nothing is measured


def checksum(data):
    total = sum(int.from_bytes(data[i:i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, "big")


def short(value):
    return value.to_bytes(2, "big")


def long(value):
    return (value & 0xFFFFFFFF).to_bytes(4, "big")


class Peer:
    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((DEVICE, 3))
        self.stack_mac = ALL
        self.arp(1, STACK)
        self.wait(lambda frame: self.stack_mac != ALL, "no answer to ARP")

    def arp(self, operation, target, mac=MAC, ip=ME, to=ALL, target_mac=bytes(6)):
        body = b"\0\1\x08\0\6\4" + short(operation) + mac + socket.inet_aton(ip) + target_mac + socket.inet_aton(target)
        self.socket.send(to + MAC + b"\x08\x06" + body)

    def ipv4(self, protocol, payload):
        header = bytearray(b"\x45\0" + short(20 + len(payload)) + b"\0\1\0\0\x40" + bytes([protocol]) + b"\0\0"
                           + socket.inet_aton(ME) + socket.inet_aton(STACK))
        header[10:12] = checksum(header)
        self.socket.send(self.stack_mac + MAC + b"\x08\0" + bytes(header) + payload)

    def tcp(self, ports, seq, ack, flags, options=b"", data=b""):
        segment = bytearray(short(ports[0]) + short(ports[1]) + long(seq) + long(ack)
                            + bytes([(20 + len(options)) // 4 << 4, flags]) + b"\xff\xff\0\0\0\0" + options + data)
        pseudo = socket.inet_aton(ME) + socket.inet_aton(STACK) + b"\0\6" + short(len(segment))
        segment[16:18] = checksum(pseudo + bytes(segment))
        self.ipv4(6, bytes(segment))

    def ipv6(self, source, target, next_header, payload, hops=255):
        self.socket.send(self.stack_mac + MAC + b"\x86\xdd\x60\0\0\0" + short(len(payload)) + bytes([next_header, hops])
                         + socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target) + payload)

    def wait(self, wanted, complaint):
        """The first frame of the stack's that is wanted; questions for our address are answered meanwhile."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not select.select([self.socket], [], [], 1)[0]:
                continue
            frame, where = self.socket.recvfrom(70000)
            if where[2] == socket.PACKET_OUTGOING or frame[6:12] == MAC:
                continue
            if frame[12:14] == b"\x08\x06" and frame[28:32] == socket.inet_aton(STACK):
                self.stack_mac = frame[22:28]
                if frame[20:22] == b"\0\1" and frame[38:42] == socket.inet_aton(ME):
                    self.arp(2, STACK, to=self.stack_mac, target_mac=self.stack_mac)
            if wanted(frame):
                return frame
        sys.exit(complaint)


def tcp_of(frame, port):
    """Sequence number, flags and payload of a segment to our port; or nothing."""
    if frame[12:14] != b"\x08\0" or frame[23] != 6 or frame[36:38] != short(port):
        return None
    start, end = 34, 14 + int.from_bytes(frame[16:18], "big")
    return int.from_bytes(frame[38:42], "big"), frame[47], frame[start + (frame[46] >> 4) * 4:end]


def handshake_without_timestamps():
    """RFC 7323 timestamps are agreed on in the SYNs, then the peer sends none: the third ACK and data count."""
    peer, ports = Peer(), (40123, 7)
    options = b"\2\4" + short(1460) + b"\4\2\x08\x0a" + long(1000) + long(0) + b"\1\3\3\7"
    peer.tcp(ports, 1000, 0, 0x02, options)
    syn_ack = peer.wait(lambda f: (t := tcp_of(f, ports[0])) and t[1] & 0x12 == 0x12, "no SYN-ACK")
    ack = tcp_of(syn_ack, ports[0])[0] + 1
    peer.tcp(ports, 1001, ack, 0x10)
    peer.tcp(ports, 1001, ack, 0x18, data=b"hello")
    echo = peer.wait(lambda f: (t := tcp_of(f, ports[0])) and t[2], "no echo")
    if tcp_of(echo, ports[0])[2] != b"hello":
        sys.exit(f"echo of {tcp_of(echo, ports[0])[2]}")
    peer.tcp(ports, 1006, ack + 5, 0x14)  # RST


def reset_reaches_a_closed_window(reads):
    """The flow is cut by the driver flow_abort; a client hears of it, whether it reads or lets its window close."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((STACK, 19))
    over = select.POLLERR | select.POLLHUP | select.POLLRDHUP
    poll = select.poll()
    poll.register(client, over | (select.POLLIN if reads else 0))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for _, event in poll.poll(500):
            if event & over:
                return
            try:
                client.recv(2000)
            except ConnectionResetError:
                return
    sys.exit("the client was never told")


def datagrams_to_all():
    """Echo answers nobody who asks everybody. The datagram to the stack alone comes last, and so would its answers."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, DEVICE.encode())
    client.settimeout(PATIENCE)
    for port in (7, 13, 19, 4444):  # the last one is closed: no port unreachable either
        for target in ("255.255.255.255", "10.77.0.255", "224.0.0.1"):
            client.sendto(target.encode(), (target, port))
    client.sendto(b"alone", (STACK, 7))
    answer, who = client.recvfrom(2000)
    if answer != b"alone" or who[0] != STACK:
        sys.exit(f"{who} answers {answer}")


def forged_neighbours():
    """No answer to an ARP question from nobody's link address, nor to a solicitation in a fragment that is the whole."""
    peer = Peer()
    peer.arp(1, STACK, mac=bytes(6), ip="10.77.0.60")
    target = socket.inet_pton(socket.AF_INET6, "fd77::2")
    solicit = b"\x87\0\0\0\0\0\0\0" + target + b"\1\1" + MAC
    source, group = "fd77::50", "ff02::1:ff00:2"
    pseudo = (socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, group) + long(len(solicit))
              + b"\0\0\0\x3a")
    solicit = solicit[:2] + checksum(pseudo + solicit) + solicit[4:]
    peer.ipv6(source, group, 44, b"\x3a\0\0\0" + long(77) + solicit)
    peer.arp(1, STACK, ip="10.77.0.61")

    def is_answer(frame):
        if frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == 136:
            sys.exit("the solicitation in a fragment was answered")
        return frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2" and frame[38:42] != socket.inet_aton(ME)

    answer = peer.wait(is_answer, "no answer to ARP")
    if answer[38:42] != socket.inet_aton("10.77.0.61"):
        sys.exit("the question from a link address of zeros was answered")


def status():
    return subprocess.run([os.environ["WFPTAP"], "show", "status"], capture_output=True, text=True, check=True).stdout


def address_comes_back():
    """One forged claim during duplicate detection: the address is not used, says `show status`, and comes back."""
    peer = Peer()
    peer.arp(2, STACK, ip=STACK, target_mac=MAC)
    end = time.monotonic() + PATIENCE
    was_away = False
    while time.monotonic() < end:
        is_away = STACK + ": somebody else has it" in status()
        if was_away and not is_away and STACK + ": being checked" not in status():
            socket.create_connection((STACK, 7), PATIENCE).close()
            return
        was_away = was_away or is_away
        time.sleep(0.2)
    sys.exit("the address did not come back" if was_away else "the claim was not heard: " + status())


def host_unreachable():
    """`wfptap connect` to an address that nobody has ends with a word about the host."""
    done = subprocess.run([os.environ["WFPTAP"], "connect", "10.77.0.99", "80"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    if done.returncode == 0 or "unreachable" not in done.stderr + done.stdout:
        sys.exit(f"exit code {done.returncode}: {done.stdout} {done.stderr}")


SCENES = {
    "handshake_without_timestamps": handshake_without_timestamps,
    "reset_reader": lambda: reset_reaches_a_closed_window(True),
    "reset_closed_window": lambda: reset_reaches_a_closed_window(False),
    "datagrams_to_all": datagrams_to_all,
    "forged_neighbours": forged_neighbours,
    "address_comes_back": address_comes_back,
    "host_unreachable": host_unreachable,
}
SCENES[sys.argv[1]]()
