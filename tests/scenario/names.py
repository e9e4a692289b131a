"""A name server of one's own for the daemon alone: on a loopback address, in a mount namespace whose resolv.conf names it."""

import contextlib
import os
import socket
import struct
import subprocess
import threading

from world import Skip

NXDOMAIN, SERVFAIL, REFUSED = 3, 2, 5
ADDRESS = b"\x7f\x00\x00\x01"  # what every name that exists leads to
TYPE_A = 1


class NameServer:
    """Answers by the name's first label: `nx…` does not exist, `fail…` and `refused…` are errors, `silent…` gets no
    answer, all else is 127.0.0.1. `is_silent`: nobody gets one. `asked` counts queries by name."""

    def __init__(self):
        self.asked, self.is_silent = {}, False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = self._bind()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _bind(self):
        for last in range(53, 100):
            address = f"127.53.{os.getpid() % 250}.{last}"
            try:
                self._socket.bind((address, 53))
                return address
            except PermissionError:
                raise Skip("port 53 of a loopback address cannot be bound (it takes root)") from None
            except OSError:
                continue
        raise Skip("no loopback address has its port 53 free")

    def close(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread, though it has no peer to tell
        self._thread.join(10)
        self._socket.close()

    def _serve(self):
        while True:
            try:
                query, peer = self._socket.recvfrom(4096)
            except OSError:
                return
            if not query:
                return
            answer = self._answer(query)
            if answer:
                self._socket.sendto(answer, peer)

    def _answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, kind = ".".join(labels), struct.unpack(">H", query[at + 1:at + 3])[0]
        self.asked[name] = self.asked.get(name, 0) + 1
        if self.is_silent or name.startswith("silent"):
            return None
        codes = {"nx": NXDOMAIN, "fail": SERVFAIL, "refused": REFUSED}
        code = next((number for word, number in codes.items() if name.startswith(word)), 0)
        has_address = code == 0 and kind == TYPE_A
        head = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, int(has_address), 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", TYPE_A, 1, 0, 4) + ADDRESS
        return head + query[12:at + 5] + (record if has_address else b"")


def wrapper(world, server):
    """What World.start() puts before the daemon, so that it asks `server`."""
    files = {"resolv.conf": f"nameserver {server.address}\n", "nsswitch.conf": "hosts: files dns\n"}
    script = ""
    for name, text in files.items():
        with open(os.path.join(world.dir, name), "w", encoding="ascii") as file:
            file.write(text)
        script += f'mount --bind "{world.dir}/{name}" /etc/{name} && '
    command = ["unshare", "-m", "sh", "-c", script + 'exec "$@"', "sh"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        raise Skip("no mount namespace of one's own here (it takes root)")
    return command
