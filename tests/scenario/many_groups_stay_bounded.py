#!/usr/bin/python3
"""A flood of group values, each its own group: bounded with a metric and a message, in little memory, the first page soon;
and over a kill in the middle every alert is told, by name or counted.

STORM_VALUES how many; STORM_SERIES how many an alarm gives (CloudWatch gives 500 at most).
"""

import os

import storm
from figures import figure
from world import expect, run, wait_for

VALUES = int(os.environ.get("STORM_VALUES", "3000"))
SERIES = int(os.environ.get("STORM_SERIES", "500"))
OWED_MAX = 100000  # GROUPS_OWED_MAX
DEADLINE_S = 60 + VALUES / 100


def alarm(shard):
    return (f"  - name: q{shard:04}\n    metrics: [{{id: q, expression: 'SELECT MAX(M) FROM Bench WHERE shard = {shard} "
            f"GROUP BY Host'}}]\n    comparison_operator: '>'\n    threshold: 50\n    evaluation_periods: 1\n    settle: 1s\n")


def configure(world, url):
    with open(os.path.join(world.dir, "alarms.yaml"), "w", encoding="utf-8") as file:
        file.write("alarms:\n" + "".join(map(alarm, range(VALUES // SERIES))))
    world.configure(f"""
include: [alarms.yaml]
receivers: [{{name: people, webhook: {{url: "{url}/hook"}}}}]
route: {{receiver: people, group_by: ['...'], group_wait: 1s, group_interval: 30s, repeat_interval: 4h}}
""", poll={"cloudwatch": {"every": "60s"}}, log={"level": "warning", "format": "text"})


def scenario(world):
    responder = storm.Responder(world, SERIES)
    configure(world, responder.url)
    responder.ask("/storm")
    peak = storm.Peak(world)
    world.start()
    began = storm.now()
    alarms = lambda: world.get("/v1/status")["alarms"]["ALARM"]
    told = lambda: sum(storm.told(responder.look()).values())
    wait_for(lambda: alarms() >= VALUES / 2 and told() > 0, DEADLINE_S, "half of them are in ALARM, and some told")
    stall_s = storm.metric(world, "tocsin_loop_stall_seconds")
    coarse = storm.metric(world, "tocsin_groups_coarse_total")
    world.kill()
    before = len(responder.look())
    world.start()
    wait_for(lambda: alarms() >= VALUES, DEADLINE_S, "all are in ALARM")
    alarm_s = storm.now() - began
    wait_for(lambda: told() == VALUES, DEADLINE_S, "all are told, by name or counted")
    told_s = storm.now() - began
    first_s = responder.hooks[0][0] - began
    stall_s = max(stall_s, storm.metric(world, "tocsin_loop_stall_seconds"))
    coarse += storm.metric(world, "tocsin_groups_coarse_total")
    figure(f"{VALUES} group values, all in ALARM after {alarm_s:.1f} s, all told after {told_s:.1f} s, a kill after {before} "
           f"messages; {len(responder.hooks)} messages, {coarse:.0f} alerts grouped by receiver only; the first message after "
           f"{first_s:.1f} s; peak {peak.mib:.0f} MiB resident; longest stall of the loop {stall_s * 1000:.0f} ms")
    if VALUES >= OWED_MAX:
        expect(coarse > 0 and "too much is owed" in world.log(), "the bound is counted and named")
        expect(len(storm.told(responder.hooks)) < 0.6 * OWED_MAX, "each group and its message count against the bound")
    expect(first_s < storm.FIRST_PAGE_MAX_S, f"the first message came after {first_s:.1f} s")
    storm.expect_small(world, peak)


if __name__ == "__main__":
    run(scenario)
