#!/usr/bin/python3
"""The wall clock jumps by an hour, and by four minutes, forth and back: no state is invented or missed, nobody is told
anything twice, what waits goes on waiting for as long as it was to, and polls go on without a refusal.

The daemon runs under libfaketime, which moves its wall clock alone; AWS and the receivers keep the true time.
"""

import clocks
from clocks import METRICS, alarm, states
from figures import figure
from pieces import bodies, hook_receiver
from world import expect, run, wait_for

CONFIG = "alarms:\n" + "".join((
    alarm("good", "Good", "breaching"),  # a window in the future would make it fire
    alarm("good-or-unknown", "Good", "missing"),
    alarm("bad", "Bad", "notBreaching"),  # and this one resolve
    alarm("bad-or-unknown", "Bad", "missing"),
    alarm("pending", "Bad", "missing", "    for: 30m\n"),
    alarm("kept", "Load", "notBreaching", "    keep_firing_for: 30m\n"),
    alarm("silenced", "Bad", "missing"),
    alarm("acknowledged", "Bad", "missing"),
)) + """
route:
  receiver: people
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 30m
  escalate: [{after: 30m, receiver: lead}]
"""
STATES = {"good": "OK", "good-or-unknown": "OK", "bad": "ALARM", "bad-or-unknown": "ALARM", "pending": "INSUFFICIENT_DATA", "kept": "ALARM",
          "silenced": "ALARM", "acknowledged": "ALARM"}


def polls(world):
    return world.calls(operation="GetMetricData")


def scenario(world):
    fake = clocks.Fake(world)
    hook = world.hook()
    world.simulator(METRICS)
    world.configure(CONFIG + hook_receiver(hook.url) + f"  - name: lead\n    webhook: {{url: \"{hook.url}/lead\"}}\n")
    world.push(95, minute=-3)
    world.push(95, minute=-2)
    world.push(95, minute=-1)
    world.start(wrapper=fake.wrapper)
    wait_for(lambda: states(world) == STATES, 60, "the states to begin with")
    added = world.ctl("silence", "add", "alertname=silenced", "--for", "3h", "--comment", "test")
    expect(added.returncode == 0, added.stderr)
    fingerprint = world.instances("acknowledged")[0]["fingerprint"]
    expect(world.api(f"/v1/alarms/{fingerprint}/acknowledge", "POST", {"by": "me", "comment": ""})[0] == 200, "acknowledged")
    wait_for(lambda: len(bodies(hook)) >= 5, 30, "what fires is told")
    for minute in range(-4, 0):
        world.push(1, minute=minute, count=500)  # `kept` is good again, and kept
    before = world.get("/v1/history?limit=1000")["transitions"]
    told = len(hook.hooks)
    world.fault({"delay_ms": 900}, operation="GetMetricData")  # so that a poll is under way when the clock jumps
    for seconds in (3600, 0, -3600, 0, 240, 0, -240, 0):
        asked = len(polls(world))
        fake.set(seconds)
        wait_for(lambda: len(polls(world)) >= asked + 4, 60, f"polls go on {seconds} s off")
        expect(states(world) == STATES, f"{seconds} s off the states are {states(world)}")
    after = world.get("/v1/history?limit=1000")["transitions"]
    new = [entry for entry in after[:len(after) - len(before)] if not entry["name"].startswith("Tocsin")]
    expect(not new, f"transitions were invented: {new}")
    refused = [call for call in polls(world) if call["status"] != 200]
    expect(not refused, f"{len(refused)} polls were refused: {refused[:1]}")
    expect("the answer does not count" not in world.log(), "a jump of ours is no correction by AWS: what was asked counts")
    others = [body for entry in hook.hooks[told:] for body in [entry.json]
              if not body["groupKey"].count("TocsinClockSkew")]
    expect(not others, f"people were told again: {[(b['groupKey'], b['notification_reason'], b['receiver']) for b in others]}")
    figure(f"8 jumps of the wall clock, {len(polls(world))} polls: 0 states changed, 0 messages, 0 polls refused or asked again")


run(scenario)
