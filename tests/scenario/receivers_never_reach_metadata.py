#!/usr/bin/python3
"""What people write as a receiver's address never reaches the machine's metadata service, nor anything else link-local,
however it is spelled: as a literal, as a name, as a name that means something else later, behind a redirect or a proxy.
Loopback and private addresses are reached as they are written. All of them are really there, in a network of its own."""

import ctypes
import fcntl
import http.server
import os
import socket
import struct
import subprocess
import threading
import time

from world import Skip, expect, run, wait_for

NEW_NETWORK, NEW_MOUNTS = 0x40000000, 0x00020000
LINK_LOCAL_4 = ("169.254.169.254", "169.254.170.2")
LINK_LOCAL_6 = ("fd00:ec2::254", "fe80::1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1")
OTHERS = ("127.0.0.1", "10.1.2.3", "192.168.7.7", "172.16.3.4")
NAMES = {"metadata.test": ["169.254.169.254"], "metadata6.test": ["fd00:ec2::254"], "mixed.test": ["10.1.2.3", "169.254.169.254"],
         "mapped.test": ["::ffff:169.254.169.254"], "nat64.test": ["64:ff9b::a9fe:a9fe"],
         "loop.test": ["127.0.0.1"], "private.test": ["10.1.2.3"], "rebound.test": ["10.1.2.3"]}
REBOUND_MS = 10000  # how long an answer of the name server is kept (resolve.h)
# Refused when the configuration is read: the literal says it.
WRITTEN = ("169.254.169.254", "2852039166", "0xA9FEA9FE", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.16689662", "169.254.43518",
           "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a9fe:a9fe]",
           "[2002:a9fe:a9fe::1]", "[fd00:ec2::254]", "[FD00:0EC2:0:0:0:0:0:254]", "[fe80::1%25lo]", "169.254.170.2",
           "%31%36%39.254.169.254")
# Refused when it is sent, or never found.
FOUND = ("metadata.test", "METADATA.test", "metadata.test.", "metadata6.test", "mixed.test", "mapped.test", "nat64.test",
         "169.254.169.254.")
REACHED = ("127.0.0.1", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]", "10.1.2.3", "167838211", "192.168.7.7",
           "172.16.3.4", "loop.test", "private.test")


class Listener:
    """An HTTP server that counts who came; `answer` is its status and Location."""

    def __init__(self, world, address, port=80, location=None):
        self.count, owner = 0, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def setup(self):
                owner.count += 1
                super().setup()

            def log_message(self, *_args):
                """Counted is enough."""

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(302 if location else 200)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
            daemon_threads = True

            def server_bind(self):
                self.socket.bind((address, port, 0, socket.if_nametoindex("lo")) if ":" in address else (address, port))
                self.server_name, self.server_port = address, port
        server = Server((address, port), Handler)
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        world.stack.callback(server.server_close)
        world.stack.callback(server.shutdown)


def own_network():
    """A network with a loopback alone, and what it is called in files that nobody else sees."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(NEW_NETWORK | NEW_MOUNTS) != 0:
        raise Skip("no network of one's own here (it takes root)")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with socket.socket() as four:
        fcntl.ioctl(four, 0x8914, struct.pack("16sh14x", b"lo", 1 | 0x40))  # SIOCSIFFLAGS: up, running
        for number, address in enumerate((*LINK_LOCAL_4, *OTHERS[1:])):  # SIOCSIFADDR, on a name of its own each
            packed = struct.pack("16sHH4s8x", f"lo:{number}".encode(), socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(four, 0x8916, packed)
    with socket.socket(socket.AF_INET6) as six:
        for address in LINK_LOCAL_6:
            fcntl.ioctl(six, 0x8916, struct.pack("16sIi", socket.inet_pton(socket.AF_INET6, address), 128, socket.if_nametoindex("lo")))


def name(world, names):
    """Writes the hosts file that the daemon looks names up in."""
    path = os.path.join(world.dir, "hosts")
    is_there = os.path.exists(path)
    with open(path, "w", encoding="ascii") as file:
        file.write("127.0.0.1 localhost\n" + "".join(f"{address} {host}\n" for host, all_of in names.items() for address in all_of))
    if not is_there:
        subprocess.run(["mount", "--bind", path, "/etc/hosts"], check=True)


def receivers(urls):
    lines = "".join(f'\n  - name: r{number}\n    webhook: {{url: "{url}", timeout: 5s}}' for number, url in enumerate(urls))
    return f"receivers:{lines}\nroute: {{receiver: r0}}\n"


def receivers_with_more(urls):
    text, _, route = receivers(urls).partition("\nroute:")
    return text + f"""
  - name: r{len(urls)}
    webhook: {{url: "http://example.test/", proxy_url: "http://metadata.test:80"}}
  - name: r{len(urls) + 1}
    email: {{to: [a@example.org], from: t@example.org, smarthost: "169.254.169.254:80", require_tls: false}}
heartbeat: {{url: "http://metadata.test/beat", every: 12s}}
route:""" + route


def outcome(world, number):
    status, answer = world.api(f"/v1/receivers/r{number}/test", "POST")
    expect(status == 200, f"r{number}: {answer}")
    return answer["results"][0]


def scenario(world):
    own_network()
    name(world, NAMES)
    world.simulator({})
    guarded = [Listener(world, address) for address in (*LINK_LOCAL_4, *LINK_LOCAL_6)]
    reached = {address: Listener(world, address) for address in (*OTHERS, "::1")}
    Listener(world, "127.0.0.1", 81, "http://169.254.169.254/latest/meta-data")
    for address in (LINK_LOCAL_4[0], LINK_LOCAL_6[0]):  # the test's own test: they are there
        socket.create_connection((address, 80), 5).close()
    wait_for(lambda: [one.count for one in guarded].count(1) == 2, 10, "they count who comes")

    world.configure(receivers(f"http://{host}/latest/meta-data" for host in WRITTEN))
    said = world.check().stderr
    expect(said.count("link-local") == len(WRITTEN), f"the check refuses each: {said}")

    urls = [*(f"http://{host}/latest/meta-data" for host in FOUND), "http://127.0.0.1:81/", "http://rebound.test/",
            *(f"http://{host}/hook" for host in REACHED)]
    world.configure(receivers_with_more(urls))
    world.start()
    for number, host in enumerate(FOUND):
        got = outcome(world, number)
        is_found = not host.endswith(".")  # the files that names stand in know no such name
        expect(got["outcome"] == "refused" and "link-local" in got["detail"] if is_found else got["outcome"] in ("retry", "refused"),
               f"{host}: {got}")
    redirect, rebound = len(FOUND), len(FOUND) + 1
    got = outcome(world, redirect)
    expect(got["outcome"] == "refused" and "redirects are not followed" in got["detail"], f"the redirect: {got}")
    expect(outcome(world, rebound)["outcome"] == "delivered", "a private address")
    for number in range(rebound + 1, len(urls)):
        expect(outcome(world, number)["outcome"] == "delivered", f"{urls[number]}: {outcome(world, number)}")
    for number in (len(urls), len(urls) + 1):
        got = outcome(world, number)
        expect(got["outcome"] == "refused" and "link-local" in got["detail"], f"proxy, mail: {got}")
    name(world, {**NAMES, "rebound.test": ["169.254.169.254"]})
    time.sleep(REBOUND_MS / 1000 + 0.5)  # the daemon's own clock decides
    got = outcome(world, rebound)
    expect(got["outcome"] == "refused" and "link-local" in got["detail"], f"what the name means now: {got}")
    expect(sum(one.count for one in guarded) == 2, f"nobody else came to what is link-local: {[one.count for one in guarded]}")
    expect(all(one.count for one in reached.values()), f"all others were reached: {[(a, o.count) for a, o in reached.items()]}")
    print(f"figure: {len(WRITTEN)} spellings refused when read, {len(FOUND) + 1} names, a redirect, a proxy, a mail server and a heartbeat when "
          f"sent; 0 connections to 7 link-local services; {len(REACHED) + 1} loopback and private targets reached as written")


run(scenario)
