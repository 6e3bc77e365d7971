"""A TCP peer of its own on the host's side of a test's TAP: it speaks through a packet socket, from an address that the
kernel does not have, so that it can leave holes in what it sends and never fill them.

Only for a namespace that a test made: it works on the test's own TAP, wfp0.
"""
import os
import select
import socket
import struct
import threading

DEVICE, STACK = "wfp0", "10.77.0.2"
ADDRESS = "10.77.0.77"
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
SYN, RST, PSH, ACK = 2, 4, 8, 16
OPTIONS = b"\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x03\x03\x07"  # MSS 1460, SACK permitted, window scale 7
VNET = struct.Struct("<BBHHHH")
MSS = 1448


def folded(total):
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def sum16(data):
    return folded(sum(struct.unpack(f"!{len(data) // 2}H", data)))


class Connection:
    def __init__(self, peer, port, to_port):
        self.peer, self.port, self.to_port = peer, port, to_port
        self.sequence, self.acknowledged, self.right_edge = 1000, None, 0
        self.sent_from = self.sequence + 1  # of the first byte
        self.answers, self.sack = 0, []
        self.is_reset = False
        self.ports = struct.pack("!HH", port, to_port)

    def send(self, offset, payload, flags=ACK | PSH):
        """Payload whose first byte is byte `offset` of the stream."""
        sequence = (self.sent_from + offset) & 0xFFFFFFFF
        header = self.ports + struct.pack("!IIBBH", sequence, self.acknowledged, 5 << 4, flags, 0xFFFF)
        self.peer.transmit(header, payload)


class Peer:
    """Answers ARP and keeps, of each connection, what the stack acknowledged last. A thread of its own listens."""

    def __init__(self, address=ADDRESS):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((DEVICE, 3))
        self.own_mac = self.socket.getsockname()[4]
        self.own, self.stack = socket.inet_aton(address), socket.inet_aton(STACK)
        self.stack_mac, self.connections = b"\xff" * 6, {}
        self.pseudo = sum16(self.own + self.stack) + 6
        self.refused = 0  # frames that the device had no room for
        self.arp_answers = 0
        self.condition = threading.Condition()
        self.is_ending = False
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        self.ask()

    def ask(self):
        """Asks for the stack's link address, which also tells it ours; waits for the answer."""
        before = self.arp_answers
        for _ in range(20):
            self.put(b"\xff" * 6, b"\x08\x06", self.arp(1, b"\0" * 6))
            with self.condition:
                if self.condition.wait_for(lambda: self.arp_answers > before, 0.5):
                    return True
        return False

    def arp(self, operation, target_mac):
        return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + self.own_mac + self.own + target_mac + self.stack

    def put(self, to, ether_type, payload, vnet=VNET.pack(0, 0, 0, 0, 0, 0)):
        try:
            self.socket.send(vnet + to + self.own_mac + ether_type + payload)
        except OSError:
            self.refused += 1

    def transmit(self, tcp_header, payload):
        """A segment with a checksum to be finished; above an MSS as the kernel's large sends are."""
        size = len(tcp_header) + 4 + len(payload)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, 64, 6, 0) + self.own + self.stack
        ip = ip[:10] + struct.pack("!H", ~sum16(ip) & 0xFFFF) + ip[12:]
        # The options of a SYN stand behind the fixed header, so the checksum field comes at a fixed place.
        segment = tcp_header[:16] + struct.pack("!HH", folded(self.pseudo + size), 0) + tcp_header[16:] + payload
        header_size = 34 + (tcp_header[12] >> 4) * 4
        is_large = len(payload) > MSS
        vnet = VNET.pack(1, 1 if is_large else 0, header_size, MSS if is_large else 0, 34, 16)
        self.put(self.stack_mac, b"\x08\x00", ip + segment, vnet)

    def connect(self, count, to_port, first_port=10000):
        """Opens connections; those that got through."""
        made = [Connection(self, first_port + i, to_port) for i in range(count)]
        for connection in made:
            self.connections[connection.port] = connection
        for _ in range(20):
            waiting = [c for c in made if c.acknowledged is None]
            if not waiting:
                break
            for c in waiting:
                self.transmit(c.ports + struct.pack("!IIBBH", c.sequence, 0, 8 << 4, SYN, 0xFFFF) + OPTIONS, b"")
            with self.condition:
                self.condition.wait_for(lambda: all(c.acknowledged is not None for c in made), 0.5)
        for c in made:
            if c.acknowledged is not None:
                c.send(0, b"", ACK)
        return [c for c in made if c.acknowledged is not None]

    def listen(self):
        while not self.is_ending:
            if not select.select([self.socket], [], [], 0.2)[0]:
                continue
            frame = self.socket.recv(70000)[VNET.size:]
            with self.condition:
                self.take(frame)
                self.condition.notify_all()

    def take(self, frame):
        ether_type = frame[12:14]
        if ether_type == b"\x08\x06" and frame[38:42] == self.own:
            if frame[20:22] == b"\0\1":
                self.put(frame[6:12], b"\x08\x06", self.arp(2, frame[22:28]))
            elif frame[28:32] == self.stack:
                self.stack_mac = frame[22:28]
                self.arp_answers += 1
        elif ether_type == b"\x08\0" and frame[30:34] == self.own and frame[23] == 6:
            self.take_segment(frame[34:])

    def take_segment(self, segment):
        connection = self.connections.get(struct.unpack_from("!H", segment, 2)[0])
        if connection is None:
            return
        sequence, number, offset, flags, window = struct.unpack_from("!IIBBH", segment, 4)
        if flags & RST:
            connection.is_reset = True
            return
        if flags & SYN:
            connection.acknowledged = (sequence + 1) & 0xFFFFFFFF
            connection.scale = self.window_scale(segment[20:(offset >> 4) * 4])
            return
        connection.answers += 1
        connection.right_edge = (number + (window << connection.scale)) - connection.sent_from
        connection.received = number - connection.sent_from
        connection.sack = self.sack_blocks(segment[20:(offset >> 4) * 4])

    @staticmethod
    def options(data):
        at = 0
        while at < len(data) and data[at] != 0:
            if data[at] == 1:
                at += 1
                continue
            yield data[at], data[at + 2:at + data[at + 1]]
            at += data[at + 1]

    def window_scale(self, data):
        return next((value[0] for kind, value in self.options(data) if kind == 3), 0)

    def sack_blocks(self, data):
        blocks = []
        for kind, value in self.options(data):
            if kind == 5:
                numbers = struct.unpack(f"!{len(value) // 4}I", value)
                blocks += list(zip(numbers[::2], numbers[1::2]))
        return blocks

    def close(self):
        self.is_ending = True
        self.thread.join()
        self.socket.close()


def daemon_pid():
    """Of the process behind the control socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        control.connect(os.environ["WFPTAP_CONTROL"])
        return struct.unpack("3i", control.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
