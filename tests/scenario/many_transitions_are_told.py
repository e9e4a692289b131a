#!/usr/bin/python3
"""Thousands of alarms that change state within a minute are all told, in one group, soon and in little memory.

STORM_ALARMS how many; STORM_EVERY the polling interval in seconds.
"""

import os

import storm
from figures import figure
from world import expect, run, wait_for

ALARMS = int(os.environ.get("STORM_ALARMS", "2000"))
EVERY_S = int(os.environ.get("STORM_EVERY", "5"))


def alarm(number):
    return (f"  - name: a{number:05}\n    metric: {{namespace: Bench, metric_name: M, dimensions: {{Host: i-{number:05}}}, "
            f"statistic: Maximum, period: 60}}\n    comparison_operator: '>'\n    threshold: 50\n    evaluation_periods: 1\n"
            f"    settle: 1s\n")


def configure(world, url):
    for first in range(0, ALARMS, storm.A_FILE):
        with open(os.path.join(world.dir, f"alarms-{first:05}.yaml"), "w", encoding="utf-8") as file:
            file.write("alarms:\n" + "".join(map(alarm, range(first, min(first + storm.A_FILE, ALARMS)))))
    world.configure(f"""
include: [alarms-*.yaml]
receivers: [{{name: people, webhook: {{url: "{url}/hook"}}}}]
route: {{receiver: people, group_by: [region], group_wait: 1s, group_interval: 1s, repeat_interval: 4h}}
""", poll={"cloudwatch": {"every": f"{EVERY_S}s"}}, log={"level": "info", "format": "text"})


def scenario(world):
    responder = storm.Responder(world)
    configure(world, responder.url)
    world.start()
    peak = storm.Peak(world)
    states = lambda: world.get("/v1/status")["alarms"]
    wait_for(lambda: states()["OK"] == ALARMS, 120, "all alarms are OK")
    stall_before = storm.metric(world, "tocsin_loop_stall_seconds")
    began = storm.now()
    responder.ask("/storm")
    wait_for(lambda: states()["ALARM"] == ALARMS, 120, "all alarms are in ALARM")
    changed_s = storm.now() - began
    wait_for(lambda: sum(storm.told(responder.look()).values()) == ALARMS, 120, "people were told of all")
    told_s = storm.now() - began
    first_s = responder.hooks[0][0] - began
    stall_s = storm.metric(world, "tocsin_loop_stall_seconds")
    figure(f"{ALARMS} alarms changed state in {changed_s:.1f} s (polls every {EVERY_S} s), all told after {told_s:.1f} s in "
           f"{len(responder.hooks)} messages, the first after {first_s:.1f} s; peak {peak.mib:.0f} MiB resident; longest "
           f"stall of the loop {stall_s * 1000:.0f} ms, before the storm {stall_before * 1000:.0f} ms")
    expect(len(storm.told(responder.hooks)) == 1, "one group told of them")
    expect(first_s < storm.FIRST_PAGE_MAX_S, f"the first message came after {first_s:.1f} s")
    expect(len(responder.hooks) <= ALARMS / 10, f"{len(responder.hooks)} messages for {ALARMS} alarms in one group")
    expect(len(world.get("/v1/history?limit=10000")["transitions"]) >= min(2 * ALARMS, 10000), "history has them all")
    storm.expect_small(world, peak)


if __name__ == "__main__":
    run(scenario)
