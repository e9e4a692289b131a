#!/usr/bin/python3
"""The heartbeat comes after complete cycles alone: none while a source has yet to answer, the base address when all is
well, `/fail` with what Tocsin cannot see when a source is blind, also behind a kill -9, which no alarm of Tocsin's own
forgets; and its address, a secret, is written nowhere."""

import time

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, hook_receiver
from world import expect, run, wait_for

SECRET = "planted-ping-key-3141"
GOOD, FAIL = f"/{SECRET}?create=1", f"/{SECRET}/fail?create=1"
GAP_S = 12  # at most five a minute
SLOW_S = 11  # longer than the first poll is put off
OWN = "TocsinSourceFailing"


def told(hook, status):
    return [body for body in bodies(hook, status=status) if body["commonLabels"].get("alertname") == OWN]


def scenario(world):
    world.simulator({})
    hook, switch = world.hook(), world.hook()
    world.secret("ping", switch.url + GOOD)
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url) + "\nheartbeat: {url_file: ping, every: 12s}\n")
    world.fault({"delay_ms": SLOW_S * 1000}, operation="GetMetricData", count=1)
    started = time.time()
    world.start()
    first = wait_for(lambda: switch.at(GOOD), 30, "the first good beat")[0]
    expect(first.time >= started + SLOW_S, f"no word before the source has answered: {first.time - started} s")
    expect(first.method == "POST" and first.body.startswith(b"1 sources, 0 failed"), f"{first.method} {first.body}")
    expect(not switch.at(FAIL), "and no other")

    world.fault("denied", operation="GetMetricData")
    before = world.wait_state(OWN, "ALARM")
    failed = wait_for(lambda: switch.at(FAIL), GAP_S + 10, "the failure is told before its turn")[0]
    expect(b"cloudwatch:GetMetricData" in failed.body and b"region eu-west-1" in failed.body, f"words: {failed.body}")
    wait_for(lambda: told(hook, "firing"), 20, "people are told as well")

    world.kill()
    count = len(switch.hooks)
    world.start()
    after = world.instances(OWN)[0]
    expect((after["state"], after["since"], after["reason"]) == ("ALARM", before["since"], before["reason"]),
           f"Tocsin's own alarm is as it was: {before} {after}")
    wait_for(lambda: len(switch.hooks) > count, 20, "it beats again")
    expect(switch.hooks[count].path == FAIL, f"as blind as before: {switch.hooks[count].path}")
    expect(len(told(hook, "firing")) == 1, "and nobody is told twice")

    world.heal()
    world.wait_state(OWN, "OK")
    beats = len(switch.at(GOOD))
    switch.answer(GOOD, status=503, count=1)
    wait_for(lambda: len(switch.at(GOOD)) >= beats + 2, 3 * GAP_S + 10, "all is well, and what was lost is said again")
    wait_for(lambda: told(hook, "resolved"), 20, "people are told of the end")
    times = [entry.time for entry in switch.hooks]
    gaps = [later - earlier for earlier, later in zip(times[:count], times[1:count])] + [
        later - earlier for earlier, later in zip(times[count:], times[count + 1:])]
    expect(all(gap > GAP_S - 1 for gap in gaps), f"at most five a minute: {gaps}")
    wait_for(lambda: "the heartbeat arrives again" in world.log(), 20, "its arrival is logged")
    expect("the heartbeat does not arrive" in world.log(), "and that it did not arrive was")
    expect('tocsin_heartbeats_total{said="good",result="lost"} 1' in world.api("/metrics")[1], "it is counted")
    world.expect_no_secret(SECRET)


run(scenario)
