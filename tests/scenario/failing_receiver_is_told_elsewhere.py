#!/usr/bin/python3
"""A receiver that refuses: TocsinDeliveryFailing goes to the others too, ends when it works again, and is closed then."""

import os
import sqlite3

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire
from world import expect, run, wait_for


def told(hook, path, status):
    return [body for body in bodies(hook, path, status) if body["groupLabels"]["alertname"] == "TocsinDeliveryFailing"]


def open_rows(world):
    """Own alarms that people are still owed something about, as the state file has it."""
    connection = sqlite3.connect(f"file:{os.path.join(world.state_dir, 'tocsin.db')}?mode=ro", uri=True)
    rows = connection.execute("SELECT alarm FROM instance WHERE source = 'tocsin' AND firing_since_ms != 0").fetchall()
    connection.close()
    return rows


def settled(world):
    """Its own message and the one about itself are parked, nothing is on its way."""
    wait_for(lambda: len(world.notifications("parked")) == 2 and
             not world.notifications("pending") + world.notifications("sending"), 20, "two messages are parked")


def scenario(world):
    world.simulator({})
    hook = world.hook()
    hook.answer("/people", status=410)
    world.configure(LOAD_ALARM + QUICK_ROUTE + f"""
receivers:
  - {{name: people, webhook: {{url: "{hook.url}/people"}}}}
  - {{name: lead, webhook: {{url: "{hook.url}/lead"}}}}
  - {{name: log, webhook: {{url: "{hook.url}/log"}}}}
""")
    world.start()
    fire(world)
    own = world.wait_state("TocsinDeliveryFailing", "ALARM")
    expect(own["labels"]["receiver"] == "people" and own["severity"] == "critical", f"it names the receiver: {own}")
    for path in ("/lead", "/log"):
        wait_for(lambda: told(hook, path, "firing"), 20, f"{path} hears that it fails")
    settled(world)
    world.kill()
    world.start()
    settled(world)
    expect(world.state("TocsinDeliveryFailing") == "ALARM", "it outlives a crash")
    hook.heal("/people")
    expect(world.api("/v1/reload", "POST")[0] == 200, "a reload tries the parked ones again")
    world.wait_state("TocsinDeliveryFailing", "OK")
    for path in ("/people", "/lead", "/log"):
        wait_for(lambda: told(hook, path, "resolved"), 20, f"{path} hears that it works")
    wait_for(lambda: not open_rows(world), 20, "nothing is open any more, so that it goes after an hour")
    for path in ("/lead", "/log"):
        expect(len(told(hook, path, "firing")) == 1, f"{path} heard of it once")


run(scenario)
