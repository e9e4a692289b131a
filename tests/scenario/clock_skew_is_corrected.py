#!/usr/bin/python3
"""The clock is 20 minutes off AWS's, in either direction: one refusal, then signed right; people hear of it."""

from pieces import LOAD_ALARM
from world import expect, run, wait_for


def scenario(world):
    world.simulator({})
    world.configure(LOAD_ALARM)
    world.start()
    wait_for(lambda: [call for call in world.calls(operation="GetMetricData") if call["status"] == 200], 30, "a good poll")
    for offset in ("20m", "-20m"):
        world.sim("POST", "clock", {"offset": offset})
        world.sim("DELETE", "calls")
        wait_for(lambda: len([call for call in world.calls(operation="GetMetricData") if call["status"] == 200]) >= 3, 60,
                 f"good polls with the clock {offset} off")
        refused = [call for call in world.calls(operation="GetMetricData") if call["status"] != 200]
        expect(len(refused) <= 3, f"{len(refused)} refusals before the clock was corrected")
        found = world.wait_state("TocsinClockSkew", "ALARM")
        expect(found["severity"] == "error", f"more than 5 minutes are an error: {found}")
    world.sim("POST", "clock", {"offset": 0})
    world.wait_state("TocsinClockSkew", "OK", 60)


run(scenario)
