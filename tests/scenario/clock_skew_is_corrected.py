#!/usr/bin/python3
"""The clock is 20 minutes off AWS's, in either direction: one refusal, then signed right; people hear of it, and no state
changes."""

from figures import figure
from three_sources import ALARMS, EACH_SECOND, OPERATIONS, WORLD, delete_trail, states, transitions
from world import expect, run, wait_for


def scenario(world):
    world.simulator(WORLD)
    world.configure(ALARMS, poll=EACH_SECOND)
    world.start()
    wait_for(lambda: [call for call in world.calls(operation="GetMetricData") if call["status"] == 200], 30, "a good poll")
    delete_trail(world, 1)
    for name in OPERATIONS:
        world.wait_state(name, "ALARM", 90)
    wanted, before, most = states(world), transitions(world), 0
    for offset in ("20m", "-20m"):
        world.sim("POST", "clock", {"offset": offset})
        world.sim("DELETE", "calls")
        wait_for(lambda: len([call for call in world.calls(operation="GetMetricData") if call["status"] == 200]) >= 3, 60,
                 f"good polls with the clock {offset} off")
        refused = [call for call in world.calls(operation="GetMetricData") if call["status"] != 200]
        most = max(most, len(refused))
        expect(len(refused) <= 3, f"{len(refused)} refusals before the clock was corrected")
        found = world.wait_state("TocsinClockSkew", "ALARM")
        expect(found["severity"] == "error", f"more than 5 minutes are an error: {found}")
    world.sim("POST", "clock", {"offset": 0})
    world.wait_state("TocsinClockSkew", "OK", 60)
    expect(states(world) == wanted and transitions(world) == before, f"no transition was invented: {transitions(world)}")
    figure(f"20 min off AWS's clock, both ways: {most} refused calls at most, no false transition")


run(scenario)
