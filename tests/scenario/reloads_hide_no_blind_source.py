#!/usr/bin/python3
"""A source's record outlives a reload: however often somebody reloads, a source that cannot be read is told of."""

import re

from pieces import LOAD_ALARM, QUICK_ROUTE, hook_receiver
from world import expect, run, wait_for

RELOADS = 6  # each behind one failed poll: twice as many as make the alarm
COUNTER = re.compile(r'^tocsin_polls_total\{.*result="failure"\} (\d+)', re.MULTILINE)


def failures(world):
    found = COUNTER.search(world.get("/metrics"))
    return int(found.group(1)) if found else 0


def reload(world):
    status, answer = world.api("/v1/reload", "POST")
    expect(status == 200, f"the reload goes well: {status} {answer}")


def scenario(world):
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    before = wait_for(lambda: next((entry for entry in world.get("/v1/sources")["sources"] if entry["last_success"]), None),
                      20, "a first success")
    reload(world)
    after = world.get("/v1/sources")["sources"][0]
    expect(after["last_success"] and after["calls"] >= before["calls"], f"what was read stays known: {before}, {after}")
    world.fault("denied", operation="GetMetricData")
    for _ in range(RELOADS):
        count = failures(world)
        wait_for(lambda: failures(world) > count, 20, "a poll that fails")
        reload(world)
    expect(world.state("TocsinSourceFailing") == "ALARM", f"{RELOADS} failures in a row with a reload behind each are told")
    world.heal()
    world.wait_state("TocsinSourceFailing", "OK")


run(scenario)
