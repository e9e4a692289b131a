#!/usr/bin/python3
"""A machine wakes with a clock that is half an hour off AWS's, in either direction: what was asked by that clock counts for
nothing, and the minutes slept through are judged from what AWS has of them."""

import clocks
from clocks import METRICS, alarm, states
from figures import figure
from pieces import QUICK_ROUTE, hook_receiver
from world import expect, run, wait_for

MINUTE_S = 60
CONFIG = "alarms:\n" + "".join((
    alarm("good", "Good", "breaching"),
    alarm("bad", "Bad", "notBreaching"),
    alarm("load", "Load", "notBreaching", periods=1),
))
# Minutes since the start as AWS's clock has them, and as our machine's says: 40 that seemed 10, then 10 that seemed 40.
SLEEPS = ((0, 40, 10), (40, 50, 50))


def history(world):
    """(name, to), the oldest first."""
    found = world.get("/v1/history?limit=1000")["transitions"]
    return [(entry["name"], entry["to"]) for entry in reversed(found) if not entry["name"].startswith("Tocsin")]


def scenario(world):
    sleeper = clocks.Sleeper(world)
    hook = world.hook()
    world.simulator(METRICS)
    world.configure(CONFIG + hook_receiver(hook.url) + QUICK_ROUTE, poll={"cloudwatch": {"every": "5m"}})
    world.push(1, minute=-2)
    world.start(wrapper=sleeper.wrapper)
    wanted = {"good": "OK", "bad": "ALARM", "load": "OK"}
    wait_for(lambda: states(world) == wanted, 60, "the states to begin with")
    for before, after, ours in SLEEPS:
        known = len(history(world))
        world.push(95, minute=before + 3)  # and over since
        world.sim("POST", "clock", {"offset": f"{after}m"})
        sleeper.sleep(ours * MINUTE_S)
        wait_for(lambda: len(history(world)) >= known + 2, 30, "the missed minutes are judged")
        new = history(world)[known:]
        expect(new == [("load", "ALARM"), ("load", "OK")], f"what was high for a minute, and nothing else: {new}")
        expect(states(world) == wanted, f"the states are as before: {states(world)}")
    dropped = world.log().count("the answer does not count")
    expect(dropped >= len(SLEEPS), f"{dropped} polls asked by a wrong clock")
    figure("woken with a clock half an hour off, both ways: an alarm of the minutes slept through found, nothing else changed")


run(scenario)
