#!/usr/bin/python3
"""What nobody acknowledges goes on to the next receiver in its time, a crash in between or not; what somebody is on does
not."""

import time

from pieces import LOAD_ALARM, bodies, clear, fire
from world import expect, run, wait_for

ROUTE = """
route:
  receiver: people
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
  escalate: [{after: 8s, receiver: lead}, {after: 14s, receiver: boss}]
"""


def scenario(world):
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + ROUTE + "receivers:\n" + "".join(
        f'  - {{name: {name}, webhook: {{url: "{hook.url}/{name}"}}}}\n' for name in ("people", "lead", "boss")))
    world.start()
    fire(world)
    wait_for(lambda: bodies(hook, "/people"), 20, "it is told")
    begin = time.time()
    world.kill()
    world.start()
    wait_for(lambda: bodies(hook, "/lead"), 30, "it goes on")
    expect(time.time() - begin >= 7, "in its time, and not before")
    body = bodies(hook, "/lead")[0]
    expect(body["notification_reason"] == "not acknowledged", f"it says why: {body['notification_reason']}")
    note = body["alerts"][0]["annotations"]["escalation"]
    expect(note == "not acknowledged within 8s of telling people", f"and whom it was told before: {note}")
    expect(world.ctl("ack", "load").returncode == 0, "somebody is on it")
    world.kill()
    world.start()
    time.sleep(max(0, begin + 18 - time.time()))
    expect(not bodies(hook, "/boss"), "it goes no further")
    clear(world)
    for path in ("/people", "/lead"):
        wait_for(lambda: bodies(hook, path, "resolved"), 20, f"{path} hears of the end")
    expect(not bodies(hook, "/boss"), "who was not told hears of no end")
    expect(len(bodies(hook, "/lead", "firing")) == 1, "it was told once")


run(scenario)
