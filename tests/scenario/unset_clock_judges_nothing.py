#!/usr/bin/python3
"""A start with a clock that was never set: no state is invented from it, people can read why; once the clock is set, the
daemon goes on by itself."""

import clocks
from figures import figure
from pieces import QUICK_ROUTE, bodies, hook_receiver
from world import expect, run, wait_for

CONFIG = """
alarms:
  - name: good
    metric: {namespace: Test, metric_name: Good, statistic: Average, period: 60}
    comparison_operator: '>'
    threshold: 80
    evaluation_periods: 2
    settle: 1s
    treat_missing_data: breaching
  - name: bad
    metric: {namespace: Test, metric_name: Bad, statistic: Average, period: 60}
    comparison_operator: '>'
    threshold: 80
    evaluation_periods: 2
    settle: 1s
"""
METRICS = {"metrics": [{"namespace": "Test", "name": name, "series": value}
                       for name, value in (("Good", 1), ("Bad", 95))]}


def scenario(world):
    fake = clocks.Fake(world, "@1970-01-02 00:00:00")
    hook = world.hook()
    world.simulator(METRICS)
    world.configure(CONFIG + hook_receiver(hook.url) + QUICK_ROUTE)
    world.start(wrapper=fake.wrapper)
    wait_for(lambda: len(world.calls(operation="GetMetricData")) >= 5, 60, "polls are tried")
    for name in ("good", "bad"):
        expect(world.state(name) == "INSUFFICIENT_DATA", f"{name} was judged: {world.instances(name)}")
    source = wait_for(lambda: [s for s in world.get("/v1/sources")["sources"] if s["last_error"]], 60, "an error is shown")[0]
    expect("clock" in source["last_error"], f"the error names the clock: {source['last_error']}")
    failing = world.wait_state("TocsinSourceFailing", "ALARM")
    expect("clock" in failing["reason"], f"so does the alarm: {failing['reason']}")
    judged = [entry for entry in world.get("/v1/history")["transitions"] if not entry["name"].startswith("Tocsin")]
    expect(not judged, f"transitions by a clock that nobody set: {judged}")
    fake.set(0)
    world.wait_state("bad", "ALARM", 60)
    world.wait_state("good", "OK", 60)
    world.wait_state("TocsinSourceFailing", "OK", 60)
    wait_for(lambda: any('alertname="bad"' in body["groupKey"] for body in bodies(hook)), 30, "what fires is told")
    expect("the wall clock jumped" in world.log(), "the jump stands in the log")
    figure("started in 1970: nothing judged, the clock named; set right: judged and told at once")


run(scenario)
