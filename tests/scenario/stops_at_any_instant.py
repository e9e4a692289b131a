#!/usr/bin/python3
"""SIGTERM at random instants, behind reloads, polls, commits and sends: a clean end, and nothing lost. CYCLES and SEED by name."""

import os
import random
import signal
import time

from many_alarms import agrees, alarms, toggle
from pieces import QUICK_ROUTE, hook_receiver
from world import expect, run, wait_for

CYCLES = int(os.environ.get("CYCLES", "25"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))


def scenario(world):
    print(f"SEED={SEED} CYCLES={CYCLES}")
    chance, weight = random.Random(SEED), [1.0]
    world.simulator({}, "--seed", str(SEED % 1000))
    hook = world.hook()
    world.configure(alarms() + QUICK_ROUTE + hook_receiver(hook.url), log={"level": "info"})
    world.start()
    for _ in range(CYCLES):
        toggle(world, chance, weight)
        time.sleep(chance.random() * 1.5)  # the instant is what is random here, nothing waits for it
        for _ in range(chance.choice((0, 1, 5))):
            world.daemon.send_signal(signal.SIGHUP)
            time.sleep(chance.random() * 0.01)
        world.stop()
        world.start()
    expect("clean=no" not in world.log(), "each stop was clean")
    expect("TocsinReloadFailed" not in world.log(), "a reload that a stop overtook is no failure")
    wait_for(lambda: agrees(world, hook), 60, "the last message about each alarm says its state, and nothing is owed")
    ids = [entry.headers["Idempotency-Key"] for entry in hook.hooks]
    expect(len(ids) == len(set(ids)), "nothing came twice")


run(scenario)
