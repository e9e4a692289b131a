#!/usr/bin/python3
"""Throttling, and an answer of which only the first page could be read: what was read counts, the rest is unknown."""

from pieces import LOAD_ALARM, fire
from world import expect, run, wait_for

OTHER = """
  - name: other
    metric: {namespace: Test, metric_name: Other, statistic: Average, period: 60}
    comparison_operator: ">"
    threshold: 80
    evaluation_periods: 1
    settle: 1s
"""


def blind(world):
    return {entry["name"] for entry in world.instances() if entry["evaluation_error"]}


def scenario(world):
    world.simulator({}, "--page-results", "1")
    world.configure(LOAD_ALARM + OTHER)
    world.start()
    world.push(95, name="Other")
    fire(world)
    world.wait_state("other", "ALARM")

    world.fault("throttle", operation="GetMetricData")
    wait_for(lambda: blind(world) >= {"load", "other"}, 60, "both alarms say that they are blind")
    expect({world.state("load"), world.state("other")} == {"ALARM"}, "throttling changes no state")
    world.heal()
    wait_for(lambda: not blind(world), 60, "both see again")

    # The second page of each reading fails with what no retry mends: the alarm on it is blind, the other is not.
    transitions = len(world.get("/v1/history")["transitions"])
    for nth in range(2, 40, 2):
        world.fault({"error": {"code": "ValidationError", "status": 400, "message": "no"}}, operation="GetMetricData",
                    nth=nth, count=1)
    wait_for(lambda: len(blind(world) & {"load", "other"}) == 1, 40, "one alarm is blind, the other not")
    expect({world.state("load"), world.state("other")} == {"ALARM"}, "a half-read answer changes no state")
    world.heal()
    wait_for(lambda: not blind(world) & {"load", "other"}, 60, "both see again")
    names = {entry["name"] for entry in world.get("/v1/history")["transitions"][:-transitions]}
    expect(all(name.startswith("Tocsin") for name in names), f"no transition of theirs was invented: {names}")


run(scenario)
