#!/usr/bin/python3
"""Receivers that are not there, never take the connection, stall in the handshake or the body, reset it, burst, or show a
certificate that is not theirs: each failure is told in words, the loop runs on, and who works is told at once."""

import datetime

import hostile
from catchers import free_port
from certs import Authority
from figures import figure, longest_gap_s, longest_turn_s
from pieces import LOAD_ALARM, bodies, clear, fire
from world import expect, run, wait_for

TOLD_S = 10  # a machine under load; 0.1 s as it should be


def broken(world):
    """name: (address, what the notification says of its failure; None: it was taken)."""
    def serve(act):
        server = hostile.Hostile(act)
        world.stack.callback(server.close)
        return server.url()

    def serve_tls(act):
        return serve(act).replace("http:", "https:")

    waiting, full = hostile.full_backlog()
    for connection in waiting:
        world.stack.callback(connection.close)
    ours, stranger = world.ca(), Authority(world.dir, "stranger")
    return {
        "refused": (f"http://127.0.0.1:{free_port()}", "Connection refused"),
        "full-backlog": (f"http://127.0.0.1:{full}", "no connection within 5 s"),
        "silent-handshake": (serve_tls(hostile.silent), "no connection within 5 s"),
        "stalled-body": (serve(hostile.stall), "stalled for 15 s"),
        "hangs-up": (serve(hostile.hang_up), "closed the connection without an answer"),
        "reset-midway": (serve(hostile.reset_midway), "the connection broke before the answer was whole"),
        "refuses-and-resets": (serve(hostile.refuse_and_reset), "413"),
        "endless-head": (serve(hostile.endless_head), "the answer's head is longer than"),
        "endless-hints": (serve(hostile.endless_hints), "the answer's head is longer than"),
        "no-http": (serve(hostile.no_http), "speaks no HTTP"),
        "no-tls": (serve_tls(hostile.plain_text), "speaks no TLS"),
        "gzip-bomb": (serve(hostile.gzip_bomb), None),
        "chunked-bomb": (serve(hostile.chunked_bomb), None),
        "expired": (serve_tls(hostile.over_tls(ours.issue(days=-1))), "its certificate has expired"),
        "other-name": (serve_tls(hostile.over_tls(ours.issue("other.example.org"))), "its certificate is another host's"),
        "unknown-authority": (serve_tls(hostile.over_tls(stranger.issue())), "nobody whom this machine trusts"),
    }


def seconds(stamp):
    return datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def configure(world, hook, kinds):
    receivers = "".join(f'  - name: {name}\n    webhook: {{url: "{url}/x", ca_file: "{world.ca().ca_file}"}}\n'
                        for name, (url, _) in kinds.items())
    routes = "".join(f"    - {{receiver: {name}, matchers: ['alertname=\"load\"'], continue: true}}\n" for name in kinds)
    world.configure(LOAD_ALARM + f"""
receivers:
{receivers}  - name: people
    webhook: {{url: "{hook.url}/hook"}}
route:
  receiver: people
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
  routes:
{routes}    - {{receiver: people}}
""")


def of_load(hook, status):
    return [entry for entry in hook.at("/hook") if entry.json["status"] == status
            and entry.json["alerts"][0]["labels"]["alertname"] == "load"]


def scenario(world):
    world.simulator({})
    hook = world.hook()
    kinds = broken(world)
    configure(world, hook, kinds)
    world.start()
    world.wait_state("load", "OK")
    fired = fire(world)
    began = seconds(fired["since"])
    first = wait_for(lambda: of_load(hook, "firing"), 20, "who works is told")[0].time - began

    def outcome(name):
        return [entry for entry in world.notifications() if entry["receiver"] == name]

    for name, (_, words) in kinds.items():
        if words is None:
            wait_for(lambda: [entry for entry in outcome(name) if entry["state"] == "delivered"], 40, f"{name} took it")
        else:
            wait_for(lambda: [entry for entry in outcome(name) if words in str(entry["last_error"])], 40,
                     f"{name} is told as `{words}`: {[entry['last_error'] for entry in outcome(name)]}")
    for entry in world.notifications():
        if kinds.get(entry["receiver"], (0, None))[1] and entry["receiver"] != "refuses-and-resets":
            print(f"{entry['receiver']}: {entry['last_error']}")
            expect(entry["state"] in ("pending", "sending"), f"it is kept: {entry}")
    expect([entry["state"] for entry in outcome("refuses-and-resets")] == ["parked"], "a refusal counts, reset or not")
    cleared = clear(world)
    second = wait_for(lambda: of_load(hook, "resolved"), 20, "and told of the end")[0].time - seconds(cleared["since"])
    expect(max(first, second) < TOLD_S, f"at once: {first:.2f} s, {second:.2f} s")
    failing = wait_for(lambda: world.state("TocsinDeliveryFailing") == "ALARM", 60, "that deliveries fail is told, too")
    expect(failing and bodies(hook), "TocsinDeliveryFailing")
    gap_s, turn_s = longest_gap_s(world, began, operation="GetMetricData"), longest_turn_s(world)
    expect(gap_s < 10, f"polls each second, and never {gap_s:.1f} s apart")
    figure(f"{len(kinds)} broken receivers: longest turn of the loop {turn_s * 1000:.0f} ms, the sound one told within "
           f"{max(first, second) * 1000:.0f} ms, polls each 1 s at most {gap_s:.1f} s apart")


run(scenario)
