#!/usr/bin/python3
"""Answers of CloudWatch, X-Ray and CloudTrail cut anywhere, with the connection or as if that were all: what they were
about is blind and says so, no state changes, and events are counted once when whole answers come again."""

import os
import random

from figures import figure
from three_sources import ALARMS, EACH_SECOND, OPERATIONS, WORLD, blind, delete_trail, matches, states, transitions
from world import expect, run, wait_for

CUTS = int(os.environ.get("CUTS", "1"))  # at random places, of each kind
SEED = os.environ.get("SEED", "7")
PLACE_MAX = 100  # bytes; each of the answers is longer


def asked(world, operation):
    return world.sim("GET", f"calls?limit=1&operation={operation}")["count"]


def scenario(world):
    places = [0, 1, *random.Random(SEED).sample(range(2, PLACE_MAX), CUTS), -1]
    world.simulator(WORLD)
    world.configure(ALARMS, poll=EACH_SECOND)
    # From the start: a window of the graph that was read is not asked for again.
    graph = world.fault({"truncate": 0}, operation="GetServiceGraph")
    faults = [graph]
    world.start()
    delete_trail(world, 1)
    for name in ("load", "deletions"):
        world.wait_state(name, "ALARM", 60)
    before, wanted = transitions(world), states(world)
    expect(wanted == {"load": "ALARM", "faults": "INSUFFICIENT_DATA", "deletions": "ALARM"}, f"{wanted}")
    for kind in ("truncate", "shorten"):
        for place in places:
            fresh = [world.fault({kind: place}, operation=operation) for operation in OPERATIONS.values()]
            for number in faults:
                world.sim("DELETE", f"faults?id={number}")
            faults, since = fresh, {operation: asked(world, operation) for operation in OPERATIONS.values()}
            wait_for(lambda: all(asked(world, operation) >= count + 4 for operation, count in since.items()), 60,
                     f"a whole poll of each under {kind} {place}")
            wait_for(lambda: blind(world) >= set(OPERATIONS), 60,
                     f"each says that it is blind under {kind} {place}: {blind(world)}")
            expect(states(world) == wanted, f"{kind} {place} changed a state: {states(world)}")
            if place == 0:
                delete_trail(world, 2)
    expect(matches(world) == 1, "nothing was counted out of pieces")
    world.heal()
    world.wait_state("faults", "ALARM", 60)
    wait_for(lambda: not blind(world), 60, "all see again")
    wait_for(lambda: matches(world) == 2, 30, "what came meanwhile is counted once")
    after = [entry for entry in transitions(world) if entry not in before]
    expect(after == [("faults", "ALARM")], f"no transition but the one that was due: {after}")
    figure(f"answers of {len(OPERATIONS)} services cut at {places} (SEED={SEED}) in two ways: no false transition, "
           "each event once")


run(scenario)
