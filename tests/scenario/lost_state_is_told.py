#!/usr/bin/python3
"""A state file that cannot be read is set aside, never deleted; Tocsin starts afresh and says so."""

import os

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire, hook_receiver
from world import expect, run, wait_for


def scenario(world):
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    fire(world)
    wait_for(lambda: bodies(hook, status="firing"), 20, "the firing message")
    world.restart()  # the stop wrote all into the database itself
    world.kill()
    spoiled = []
    for name in os.listdir(world.state_dir):
        path = os.path.join(world.state_dir, name)
        with open(path, "rb") as file:
            is_state = file.read(15) == b"SQLite format 3"
        if is_state:
            spoiled += [path, path + "-wal", path + "-shm"]  # the log alone would be enough to read all
    for path in filter(os.path.exists, spoiled):
        with open(path, "r+b") as file:
            file.write(os.urandom(8192))
    expect(spoiled, "there is a state file")
    world.start()
    world.wait_state("TocsinStateLost", "ALARM")
    world.wait_state("load", "ALARM")
    wait_for(lambda: [body for body in bodies(hook) if body["groupLabels"].get("alertname") == "TocsinStateLost"], 30,
             "people are told")
    kept = [name for name in os.listdir(world.state_dir) if name not in map(os.path.basename, spoiled)]
    expect(any(os.path.getsize(os.path.join(world.state_dir, name)) >= 8192 for name in kept), f"the old file is kept: {kept}")


run(scenario)
