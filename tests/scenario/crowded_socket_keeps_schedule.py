#!/usr/bin/python3
"""A thousand idle connections, writers of a byte a second, heads and bodies that are too large, requests in a row and
event streams that nobody reads: the daemon polls and tells on time, keeps its bounds, says which one was reached, serves
whoever asks next, and has no descriptor more afterwards."""

import json
import resource
import socket
import time

from catchers import free_port
from figures import descriptors, figure, longest_gap_s, longest_turn_s, metric
from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, clear, hook_receiver
from world import Failed, expect, run, wait_for

IDLE = 1000
CONNECTIONS = 64  # of each of the two sockets
SLOW = 16
STREAMS = 32
OVERSIZED = 60
PIPELINED = 200
REQUEST_S = 30  # how long a whole request may take; looked at each 15 s
GET = b"GET /v1/alarms HTTP/1.1\r\nHost: localhost\r\n\r\n"


def dial(world):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(world.socket)
    return connection


def idle(world, port):
    """As many as there is room for become connections, the others wait or are sent away."""
    crowd = []
    for number in range(IDLE):
        is_local = number % 2 == 0
        crowd.append(socket.socket(socket.AF_UNIX if is_local else socket.AF_INET))
        crowd[-1].setblocking(False)
        crowd[-1].connect_ex(world.socket if is_local else ("127.0.0.1", port))
    return crowd


def answered_s(world, deadline_s):
    """How long one who asks waits for an answer; where the queue is full, it asks again."""
    began = time.monotonic()
    while time.monotonic() - began < deadline_s:
        try:
            if world.api("/v1/status", timeout=deadline_s)[0] == 200:
                return time.monotonic() - began
        except OSError:
            time.sleep(0.05)
    raise Failed(f"no answer within {deadline_s} s")


def drip(writers, request, sent):
    """One byte more from each slow writer that is still connected."""
    left = []
    for writer in writers:
        try:
            writer.send(request[sent % len(request):][:1])
            left.append(writer)
        except OSError:
            writer.close()
    return left


def too_large(world):
    """The status lines that heads and bodies past the bounds get."""
    seen = set()
    for number in range(OVERSIZED):
        with dial(world) as connection:
            kind = number % 3
            request = (b"GET /v1/" + b"a" * 100_000, b"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000,
                       b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n")[kind]
            try:
                connection.sendall(request)
            except OSError:
                pass  # it has answered and hung up already
            try:
                seen.add((kind, connection.recv(4096).split(b"\r\n")[0].split(b" ")[1].decode()))
            except (OSError, IndexError):
                seen.add((kind, "cut"))
    return seen


def in_a_row(world):
    """Requests sent in one piece; their answers come one by one, all of them, in order."""
    names = [f"/v1/alarms/no-{number}" for number in range(PIPELINED)]
    with dial(world) as connection:
        connection.sendall(b"".join(f"GET {name} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for name in names))
        reader = connection.makefile("rb")
        for name in names:
            expect(b" 404 " in reader.readline(), "each request is answered")
            length = 0
            while (line := reader.readline().strip()):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            answer = json.loads(reader.read(length))
            expect(name.rpartition("/")[2] in answer["error"]["message"], f"in order: {answer} for {name}")


def open_streams(world):
    streams = []
    for _ in range(STREAMS + 1):
        streams.append(dial(world))
        streams[-1].sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
    answers = [stream.recv(64).split(b" ")[1] for stream in streams]
    expect(sorted(answers) == [b"200"] * STREAMS + [b"503"], f"so many streams and no more: {answers}")
    return streams


def scenario(world):
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, max(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    port = free_port()
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url),
                    control={"socket": world.socket, "listen": f"127.0.0.1:{port}"})
    world.start()
    world.wait_state("load", "OK")
    base = descriptors(world)
    began = time.time()

    crowd = idle(world, port)
    wait_for(lambda: descriptors(world) >= base + CONNECTIONS, 20, "the crowd is let in")
    most = 0
    world.push(95)
    wait_for(lambda: bodies(hook, status="firing"), 40, "a message goes out past the crowd")
    for _ in range(20):
        most = max(most, descriptors(world) - base)
        time.sleep(0.05)
    expect(most <= 2 * CONNECTIONS + 4, f"{most} descriptors more than before, for two sockets of {CONNECTIONS} connections")
    waited_s = answered_s(world, 60)
    for connection in crowd:
        connection.close()
    answered_s(world, 10)
    for kind in ("socket", "listen"):
        expect(metric(world, "tocsin_control_full_total", port=kind) >= 1, f"that {kind} was full is counted")
    expect(f"bound={CONNECTIONS}" in world.log(), "and told, with the bound")
    wait_for(lambda: descriptors(world) <= base + 3, 40, "the crowd leaves nothing behind")

    slow_since = time.monotonic()
    writers, sent = [dial(world) for _ in range(SLOW)], 0
    statuses = too_large(world)
    expect(statuses <= {(0, "414"), (1, "431"), (2, "413"), (0, "cut"), (1, "cut")} and len(statuses) >= 3,
           f"heads and bodies that are too large are refused: {statuses}")
    in_a_row(world)
    streams = open_streams(world)
    clear(world)
    wait_for(lambda: bodies(hook, status="resolved"), 20, "a message goes out past streams that nobody reads")
    for stream in streams:
        stream.close()
    while writers and time.monotonic() - slow_since < 60:
        writers, sent = drip(writers, GET * 100, sent), sent + 1
        time.sleep(1)
    slow_s = time.monotonic() - slow_since
    expect(not writers and slow_s >= REQUEST_S, f"writers of a byte a second are cut off: {len(writers)} left, {slow_s:.0f} s")
    expect(metric(world, "tocsin_control_cut_total", why="slow request") >= SLOW, "and counted")
    wait_for(lambda: descriptors(world) <= base + 3, 20, f"no descriptor stays open ({base} at the start)")
    expect(metric(world, "tocsin_control_streams", port="socket") == 0, "no stream is left")
    gap_s, turn_s = longest_gap_s(world, began, operation="GetMetricData"), longest_turn_s(world)
    expect(gap_s < 10, f"polls each second, and never {gap_s:.1f} s apart")
    figure(f"{IDLE} idle connections: {most} taken, who asks then is answered in {waited_s:.1f} s; longest turn of the loop "
           f"{turn_s * 1000:.0f} ms, polls each 1 s at most {gap_s:.1f} s apart")


run(scenario)
