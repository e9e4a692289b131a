#!/usr/bin/python3
"""`control.listen` reads and nothing else, whoever asks: no change, no notification, no name in Host that a web page could
aim at it, no leave for other origins; what goes by under /v1/events tells no delivery."""

import socket
import time

from catchers import free_port
from figures import figure
from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire, hook_receiver
from world import expect, run, wait_for

READS = ("/v1/status", "/v1/alarms", "/v1/alarms/load", "/v1/history", "/v1/sources", "/v1/silences", "/v1/routes",
         "/v1/service-graph", "/v1/cloudtrail/events", "/api/v2/status", "/api/v2/receivers", "/api/v2/alerts",
         "/api/v2/alerts/groups", "/api/v2/silences", "/metrics", "/healthz", "/readyz")
HIDDEN = ("/v1/notifications", "/v1/notifications?state=pending", "/v1/explain/{fingerprint}")
CHANGES = (("POST", "/v1/notifications/x/retry"), ("POST", "/v1/notifications/x/discard"), ("POST", "/v1/silences"),
           ("DELETE", "/v1/silences/x"), ("POST", "/v1/alarms/{fingerprint}/acknowledge"), ("POST", "/v1/reload"),
           ("DELETE", "/v1/alarms/{fingerprint}/acknowledge"), ("POST", "/v1/receivers/people/test"))
LURES = ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:{port}", "2130706433", "0x7f000001",
         "0177.0.0.1", "127.1", "", "127.0.0.1 evil.example", "evil.example#127.0.0.1", "user@127.0.0.1", "[::1", "[evil]")
GOOD = ("127.0.0.1", "127.0.0.1:{port}", "localhost", "LocalHost:{port}", "[::1]", "[::1]:{port}", "192.0.2.7:80")


def say(port, text):
    """(status or 0, the whole answer) to bytes as they are."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while (piece := connection.recv(65536)):
            answer += piece
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 2 else 0, answer.decode(errors="replace")


def ask(port, method, path, host="127.0.0.1", more=""):
    return say(port, f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n")


def listen_to_events(port):
    stream = socket.create_connection(("127.0.0.1", port), timeout=20)
    stream.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    expect(b" 200 " in stream.recv(4096), "the events are shown")
    return stream


def heard(stream):
    stream.setblocking(False)
    got = b""
    try:
        while (piece := stream.recv(65536)):
            got += piece
    except BlockingIOError:
        return got.decode()
    return got.decode()


def scenario(world):
    port = free_port()
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url),
                    control={"socket": world.socket, "listen": f"127.0.0.1:{port}"})
    world.start()
    world.wait_state("load", "OK")
    stream = listen_to_events(port)
    fingerprint = fire(world)["fingerprint"]
    wait_for(lambda: bodies(hook), 20, "the message")
    wait_for(lambda: world.notifications("delivered"), 20, "its receipt")

    count = 0
    for path in READS:
        for method in ("GET", "HEAD"):
            status, answer = ask(port, method, path, more="Origin: http://evil.example\r\n")
            expect(status == 200 and "access-control" not in answer.lower(), f"{method} {path}: {answer[:300]}")
            count += 1
    for path in HIDDEN:
        status, answer = ask(port, "GET", path.replace("{fingerprint}", fingerprint))
        expect(status == 403 and hook.url not in answer, f"{path} is not for the network: {status}")
        count += 1
    for method, path in CHANGES:
        status, _ = ask(port, method, path.replace("{fingerprint}", fingerprint))
        expect(status == 403, f"{method} {path} by root over the network: {status}")
        count += 1
    for method in ("PUT", "PATCH", "OPTIONS", "CONNECT", "TRACE", "BREW"):
        status, _ = ask(port, method, "/v1/alarms", more="X-HTTP-Method-Override: POST\r\n")
        expect(status in (0, 400, 405, 501), f"{method}: {status}")
        count += 1
    for host in GOOD:
        expect(ask(port, "GET", "/v1/alarms", host.format(port=port))[0] == 200, f"Host {host} is an address")
    for host in LURES:
        status, answer = ask(port, "GET", "/v1/alarms", host.format(port=port))
        expect(status in (0, 400, 403) and "load" not in answer, f"Host `{host}`: {status}")
    for text in ("GET /v1/alarms HTTP/1.0\r\n\r\n", "GET /v1/alarms HTTP/1.1\r\n\r\n",
                 "GET http://evil.example/v1/alarms HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
                 "GET /v1/alarms HTTP/1.1\r\nHost: evil.example\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"):
        status, answer = say(port, text)
        expect(status in (0, 400, 403) and "load" not in answer, f"{text!r}: {status}")
    expect(world.state("load") == "ALARM" and world.instances("load")[0]["acknowledged"] is None, "nothing was changed")
    time.sleep(0.5)
    told = heard(stream)
    expect("event: transition" in told and "event: delivery" not in told, f"transitions, and no delivery: {told[:500]}")
    stream.close()
    figure(f"over the network: {count} calls and {len(GOOD) + len(LURES) + 4} forms of Host; read only, no delivery told")


run(scenario)
