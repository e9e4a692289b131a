#!/usr/bin/python3
"""Suspends of eight hours and of forty minutes: polled at once, nothing false concluded from the time away; minutes missed
within the last hour are read and judged."""

import time

import clocks
from clocks import METRICS, alarm, states
from figures import figure
from pieces import QUICK_ROUTE, hook_receiver
from world import expect, run, wait_for

SLEPT_S, NAP_S = 8 * 3600, 40 * 60
CONFIG = "alarms:\n" + "".join((
    alarm("good", "Good", "breaching"),
    alarm("good-or-unknown", "Good", "missing"),
    alarm("bad-or-unknown", "Bad", "missing"),
    alarm("load", "Load", "notBreaching", periods=1),
))


def history(world):
    return world.get("/v1/history?limit=1000")["transitions"]


def sleep(world, sleeper, seconds):
    """AWS's clock has gone on, too; a poll comes long before its time."""
    asked = len(world.calls(operation="GetMetricData"))
    world.sim("POST", "clock", {"offset": f"{seconds}s"})
    sleeper.sleep(seconds)
    wait_for(lambda: len(world.calls(operation="GetMetricData")) > asked, 30, "a poll at once")
    judged = time.time() + seconds - 60
    wait_for(lambda: all(entry["last_evaluated"] >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(judged))
                         for entry in world.instances() if entry["source"] != "tocsin"), 30, "all are judged again")


def scenario(world):
    sleeper = clocks.Sleeper(world)
    hook = world.hook()
    world.simulator(METRICS)
    world.configure(CONFIG + hook_receiver(hook.url) + QUICK_ROUTE, poll={"cloudwatch": {"every": "5m"}})
    world.push(1, minute=-2)
    world.start(wrapper=sleeper.wrapper)
    wanted = {"good": "OK", "good-or-unknown": "OK", "bad-or-unknown": "ALARM", "load": "OK"}
    wait_for(lambda: states(world) == wanted, 60, "the states to begin with")
    before = len(history(world))
    sleep(world, sleeper, SLEPT_S)
    expect(len(history(world)) == before, f"8 h changed states: {history(world)[:-before]}")
    world.push(95, minute=(SLEPT_S + NAP_S) // 60 - 20)  # while nobody looked, and over since
    sleep(world, sleeper, SLEPT_S + NAP_S)
    wait_for(lambda: len(history(world)) >= before + 2, 30, "the missed minutes are judged")
    new = history(world)[:-before]
    expect([(entry["name"], entry["to"]) for entry in new] == [("load", "OK"), ("load", "ALARM")], f"and nothing else: {new}")
    expect(states(world) == wanted, f"the states are as before: {states(world)}")
    expect(world.log().count("the machine was suspended") == 2, "each suspend stands in the log")
    figure("suspended for 8 hours and for 40 minutes: polled at once, an alarm of 20 minutes ago found, nothing else changed")


run(scenario)
