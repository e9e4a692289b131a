#!/usr/bin/python3
"""Reloads of good and bad files in turn, faster than they can be read: states stay, each change is told once. RELOADS by name."""

import os
import random
import signal
import time

from many_alarms import agrees, alarms, toggle
from pieces import QUICK_ROUTE, hook_receiver
from world import expect, run, wait_for

RELOADS = int(os.environ.get("RELOADS", "500"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))


def scenario(world):
    print(f"SEED={SEED} RELOADS={RELOADS}")
    chance, weight = random.Random(SEED), [1.0]
    world.simulator({}, "--seed", str(SEED % 1000))
    hook = world.hook()
    tail = QUICK_ROUTE + hook_receiver(hook.url)
    good = [alarms() + tail, alarms().replace("threshold: 50", "threshold: 50\n    labels: {team: shop}") + tail]
    bad = [alarms().replace("threshold: 50", "threshold: many") + tail, "alarms: {}\n" + tail]
    written = os.path.join(world.dir, "next.yaml")
    world.configure(good[0], log={"level": "info"})
    world.start()
    for number in range(RELOADS):
        if number % 10 == 0:
            toggle(world, chance, weight)
        world.configure(chance.choice(bad if number % 2 else good), path=written, log={"level": "info"})
        os.rename(written, world.config_file)
        world.daemon.send_signal(signal.SIGHUP)
        time.sleep(chance.random() * 0.05)  # the instant is what is random here, nothing waits for it
    world.configure(good[0], log={"level": "info"})
    wait_for(lambda: world.api("/v1/reload", "POST")[0] == 200, 20, "a good file is taken in the end")
    wait_for(lambda: agrees(world, hook), 60, "the last message about each alarm says its state, and nothing is owed")
    world.wait_state("TocsinReloadFailed", "OK")
    ids = [entry.headers["Idempotency-Key"] for entry in hook.hooks]
    expect(len(ids) == len(set(ids)), "nothing came twice")
    print(f"figure: {RELOADS} reloads of good and bad files in turn (SEED={SEED}): {len(ids)} messages, none twice, none missing")


run(scenario)
