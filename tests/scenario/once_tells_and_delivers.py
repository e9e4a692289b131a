#!/usr/bin/python3
"""`tocsind --once`: everything polled once, told once, a line an instance; the second run tells nothing again."""

from pieces import LOAD_ALARM, bodies, hook_receiver
from world import expect, run


def scenario(world):
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + "route: {receiver: people, group_wait: 30s}\n" + hook_receiver(hook.url))
    world.push(95)
    first = world.once()
    expect(first.returncode == 0, f"exit {first.returncode}: {first.stderr}")
    lines = [line for line in first.stdout.splitlines() if " load " in line]
    expect(len(lines) == 1 and lines[0].startswith("ALARM load "), f"one line: {first.stdout}")
    expect(len(bodies(hook, status="firing")) == 1, "people were told, without waiting for group_wait")
    second = world.once()
    expect(second.returncode == 0 and len(bodies(hook)) == 1, f"told once: {second}")
    world.fault("denied", operation="GetMetricData")
    third = world.once()
    expect(third.returncode == 1 and "ALARM load " in third.stdout, f"a source that failed is status 1, the state stays: {third}")
    world.heal()
    world.fault({"error": {"code": "ValidationError", "status": 400, "message": "a\n\x1b[31mb \u202ec"}})
    fourth = world.once()
    lines = [line for line in fourth.stdout.splitlines() if " load " in line]
    expect(len(lines) == 1 and lines[0].isascii() and lines[0].isprintable() and lines[0].endswith("c"),
           f"what AWS says stays harmless on a terminal: {fourth.stdout!r}")


run(scenario)
