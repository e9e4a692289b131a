#!/usr/bin/python3
"""AWS throttles nine calls of ten, then fails with 5xx, then calls the credentials expired, then gives the same page token
for ever: nothing is invented and nothing lost. What is blind says why; under throttling new alarms still come; what
happened meanwhile is counted once.

An hour of failures is as many failed polls as an alarm has in an hour at the usual period of a minute: 60. POLLS says how
many are run through here, one a second; with 60 it takes some minutes."""

import os
import time

from figures import figure, longest_turn_s
from pieces import QUICK_ROUTE, bodies, hook_receiver
from three_sources import ALARMS, EACH_SECOND, OPERATIONS, WORLD, blind, delete_trail, matches, states, transitions
from world import expect, run, wait_for

POLLS = int(os.environ.get("POLLS", "4"))
THROTTLED = 0.9
EVENTS = 3  # the second comes under throttling, the third in the outage
PAGES_MAX = 100  # of one poll
OTHER = """
  - name: other
    metric: {namespace: Test, metric_name: Other, statistic: Average, period: 60}
    comparison_operator: ">"
    threshold: 80
    evaluation_periods: 1
    treat_missing_data: ignore
    settle: 1s
"""


def calls(world, operation="GetMetricData"):
    found = world.calls(operation=operation)  # a poll has three of them, fewer when the budget for tries is used up
    return len(found), len([call for call in found if call["status"] != 200])


def told(hook, name):
    return [body for body in bodies(hook, status="firing") for alert in body["alerts"] if alert["labels"]["alertname"] == name]


def throttle(world, hook):
    world.sim("DELETE", "calls")
    for operation in OPERATIONS.values():
        world.fault({"throttle": True}, operation=operation, probability=THROTTLED)
    began = time.time()
    world.push(95, name="Other")
    delete_trail(world, 2)
    world.wait_state("other", "ALARM", 90)
    wait_for(lambda: told(hook, "other"), 20, "a new alarm is told under throttling")
    alarm_s = time.time() - began
    asked, refused = calls(world)
    world.heal()
    wait_for(lambda: matches(world) == 2, 60, "and an event is counted")
    return alarm_s, asked, refused


def fail(world, wanted):
    """An outage. How many calls were made in it."""
    wait_for(lambda: not blind(world), 60, "all see before it")
    world.sim("DELETE", "calls")
    world.fault({"status": 503})
    seen = set()

    def polls():
        expect(states(world) == wanted, f"5xx changed a state: {states(world)}")
        seen.update(entry["last_error"] for entry in world.get("/v1/sources")["sources"] if entry["last_error"])
        return world.get("/v1/sources")["sources"] and calls(world)[0] >= 3 * POLLS
    wait_for(polls, 60 + 10 * POLLS, f"{POLLS} polls fail")
    delete_trail(world, 3)
    wait_for(lambda: blind(world) >= {"load", "other", "deletions"}, 60, f"who cannot see says so: {blind(world)}")
    world.wait_state("TocsinSourceFailing", "ALARM", 60)
    expect(any("status 503" in str(words) and "AWS has a fault of its own" in words for words in seen), f"in words: {seen}")
    expect(states(world) == wanted, f"5xx changed a state: {states(world)}")
    made = calls(world)[0]
    world.heal()
    wait_for(lambda: not blind(world), 60, "all see again")
    wait_for(lambda: matches(world) == 3, 60, "what happened in the outage is counted")
    return made


def expire(world, wanted):
    world.fault({"expired": True})
    wait_for(lambda: blind(world) >= {"load", "other", "deletions"}, 60, "who cannot see says so")
    words = world.instances("load")[0]["evaluation_error"]
    expect("the credentials have expired (renew them" in words, f"and what to do: {words}")
    expect(states(world) == wanted, f"an expired token changed a state: {states(world)}")
    world.heal()
    wait_for(lambda: not blind(world), 90, "all see again")


def loop_tokens(world, wanted):
    """How many pages a poll reads that is led in a circle."""
    world.sim("DELETE", "calls")
    world.fault({"repeat_token": True}, operation="LookupEvents")

    def says():
        words = [entry["last_error"] for entry in world.get("/v1/sources")["sources"] if entry["name"] == "cloudtrail"]
        return "token" in str(words) and words
    words = wait_for(says, 60, "the source says that a token came twice")
    expect(states(world) == wanted and matches(world) == EVENTS, f"{words}: {states(world)}, {matches(world)} events")
    asked = calls(world, "LookupEvents")[0]
    expect(asked < PAGES_MAX, f"it asked for {asked} pages")
    world.heal()
    wait_for(lambda: not blind(world), 60, "all see again")
    return asked


def scenario(world):
    world.simulator(WORLD)
    hook = world.hook()
    world.configure(ALARMS + OTHER + QUICK_ROUTE + hook_receiver(hook.url), poll=EACH_SECOND)
    world.start()
    delete_trail(world, 1)
    for name in OPERATIONS:
        world.wait_state(name, "ALARM", 90)
    wanted, before = states(world), transitions(world)
    alarm_s, asked, refused = throttle(world, hook)
    made = fail(world, wanted)
    expire(world, wanted)
    pages = loop_tokens(world, wanted)
    world.wait_state("TocsinSourceFailing", "OK", 60)
    time.sleep(2)
    expect(matches(world) == EVENTS, f"each event once, in disorder and repeated as they come: {matches(world)}")
    after = [entry for entry in transitions(world)[len(before):] if entry != ("other", "ALARM")]
    expect(not after, f"no transition was invented: {after}")
    figure(f"{refused} of {asked} calls throttled: a new alarm told in {alarm_s:.1f} s; 5xx for {POLLS} polls ({made} calls), an "
           f"expired token, a page token that loops ({pages} pages): no false transition, each of {EVENTS} events counted once; "
           f"longest turn of the loop {longest_turn_s(world) * 1000:.0f} ms")



run(scenario)
