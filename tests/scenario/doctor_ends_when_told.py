#!/usr/bin/python3
"""`tocsinctl doctor` over name servers, web hooks and mail servers that never answer: it asks as the daemon asks, and
--timeout holds, though nothing stops a lookup that runs; what the time has cut off is told in those words."""

import socket
import time

import names
from catchers import free_port
from figures import figure
from world import expect, run

SILENT = 3
CONFIG = """
alarms: []
receivers:
  - name: people
    webhook:
{names}      - {{url: "http://127.0.0.1:{hook}/x"}}
    email: {{to: [a@example.org], from: t@example.org, smarthost: "127.0.0.1:{mail}", require_tls: false}}
route: {{receiver: people}}
"""
CUT = "no answer within 1 s — ask again when the network answers"


def deaf(world):
    """A port that takes connections and says nothing."""
    listener = world.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return listener.getsockname()[1]


def doctor(world, before, *more):
    began = time.monotonic()
    done = world.run_program([*before, world.program("tocsinctl"), "doctor", "-c", world.config_file, *more])
    return done, time.monotonic() - began


def scenario(world):
    world.simulator({})
    server = names.NameServer()
    world.stack.callback(server.close)
    before = names.wrapper(world, server)
    urls = "".join(f'      - {{url: "http://silent-{number}.test:{free_port()}/x"}}\n' for number in range(SILENT))
    world.configure(CONFIG.format(names=urls, hook=free_port(), mail=deaf(world)))
    done, _ = doctor(world, before)
    for number in range(SILENT):
        told = [line for line in done.stdout.splitlines() if f"webhook {number + 1}: " in line]
        expect(len(told) == 1 and "the name" in told[0], f"{told} of {done.stdout}{done.stderr}")
        asked = server.asked.get(f"silent-{number}.test", 0)
        expect(asked >= 4, f"both kinds of address asked for again within the 5 s of a lookup, as the daemon does: {asked}")
    world.env["RES_OPTIONS"] = "timeout:30 attempts:1"
    done, took = doctor(world, before, "--timeout", "1s")
    cut = [line for line in done.stdout.splitlines() if CUT in line]
    expect(len(cut) == SILENT + 1 and any("email 1" in line for line in cut), f"{done.stdout}{done.stderr}")
    expect("cancelled" not in done.stdout, done.stdout)
    expect(done.returncode == 1 and f"{SILENT + 2} failed" in done.stdout, f"all of it is told: {done.stdout}{done.stderr}")
    expect(took < 20, f"not the 30 s of the lookups: {took:.1f} s")
    figure(f"told to end after 1 s while lookups run for 30 s, doctor ends after {took:.1f} s")


run(scenario)
