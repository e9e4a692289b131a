#!/usr/bin/python3
"""What ended is told at the group's beat, whatever polls, reloads and removals come before it."""

from pieces import LOAD_ALARM, bodies, clear, fire, hook_receiver
from world import expect, run, wait_for

SLOW_ROUTE = """
route: {receiver: people, group_wait: 0s, group_interval: 12s, repeat_interval: 4h}
"""


def told(hook, status, count):
    wait_for(lambda: len(load_bodies(hook, status)) == count, 40, f"{count} messages say {status}")
    return load_bodies(hook, status)[-1]


def load_bodies(hook, status):
    return [body for body in bodies(hook, status=status) if body["groupLabels"]["alertname"] == "load"]


def polled(world):
    begin = len(world.calls(operation="GetMetricData"))
    wait_for(lambda: len(world.calls(operation="GetMetricData")) >= begin + 3, 40, "three more polls")


def scenario(world):
    world.simulator({})
    hook = world.hook()
    tail = SLOW_ROUTE + hook_receiver(hook.url)
    world.configure(LOAD_ALARM + tail)
    world.start()
    fire(world)
    starts = told(hook, "firing", 1)["alerts"][0]["startsAt"]
    clear(world)
    polled(world)
    world.configure(LOAD_ALARM.replace("team: shop", "team: till") + tail)
    expect(world.reload()["ok"], "an edited label is taken")
    end = told(hook, "resolved", 1)["alerts"][0]
    expect(end["startsAt"] == starts, f"it began when it began: {starts} {end}")

    for minute in range(-3, 0):
        world.push(90000, minute=minute, count=1000)
    world.wait_state("load", "ALARM")
    told(hook, "firing", 2)
    for minute in range(-6, 0):
        world.push(-900000, minute=minute, count=1000)
    world.wait_state("load", "OK")
    polled(world)
    world.configure("alarms: []\n" + tail)
    expect(world.reload()["ok"], "a file without the alarm is taken")
    told(hook, "resolved", 2)


run(scenario)
