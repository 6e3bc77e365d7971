"""Uploads to the echo service at the same time, each compared with what comes back, and pages fetched beside them:
uploads.py COUNT BYTES. (The http service ends a request that takes too long, which these may.)

Prints one JSON object.
"""
import hashlib
import http.client
import json
import os
import random
import socket
import sys
import threading
import time

from raw_peer import daemon_pid, resident_bytes

count, size = int(sys.argv[1]), int(sys.argv[2])
address = os.environ["WFPTAP_ADDRESS"]
LIMIT = 1500
right, errors, pages = [], [], []
are_done = threading.Event()


def send(connection, body):
    try:
        connection.sendall(body)
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:
        errors.append(f"send: {error}")


def upload(number):
    body = random.Random(number).randbytes(size)
    try:
        with socket.create_connection((address, 7), timeout=LIMIT) as connection:
            sender = threading.Thread(target=send, args=(connection, body))
            sender.start()
            echoed = hashlib.sha256()
            while data := connection.recv(1 << 16):
                echoed.update(data)
            sender.join()
        answer = echoed.digest()
        (right if answer == hashlib.sha256(body).digest() else errors).append(number)
    except OSError as error:
        errors.append(f"{number}: {error}")


def fetch_pages():
    while not are_done.is_set():
        try:
            connection = http.client.HTTPConnection(address, timeout=LIMIT)
            connection.request("GET", "/bytes/1000")
            pages.append(len(connection.getresponse().read()) == 1000)
            connection.close()
        except OSError as error:
            pages.append(False)
            errors.append(f"page: {error}")
        time.sleep(0.2)


pid = daemon_pid()
before, begin = resident_bytes(pid), time.monotonic()
threads = [threading.Thread(target=upload, args=(i,)) for i in range(count)]
pager = threading.Thread(target=fetch_pages)
for thread in [*threads, pager]:
    thread.start()
highest = 0
while any(thread.is_alive() for thread in threads):
    highest = max(highest, resident_bytes(pid))
    time.sleep(0.1)
are_done.set()
pager.join()
print(json.dumps({"right": len(right), "errors": errors, "pages": len(pages), "pages_right": sum(pages),
                  "seconds": time.monotonic() - begin, "before": before, "highest": highest,
                  "after": resident_bytes(pid)}))
