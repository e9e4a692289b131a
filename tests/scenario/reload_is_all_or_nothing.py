#!/usr/bin/python3
"""A bad file changes nothing and says so; a good one is taken, and resets no alarm."""

import os

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire, hook_receiver
from world import expect, run, wait_for

BAD = """
  - name: second
    metric: {namespace: Test, metric_name: Other, statistics: Average, period: 61}
    comparison_operator: ">"
    threshold: many
    evaluation_periods: 1
"""
GOOD = BAD.replace("statistics", "statistic").replace("61", "60").replace("many", "5")


def scenario(world):
    world.simulator({})
    hook = world.hook()
    tail = QUICK_ROUTE + hook_receiver(hook.url)
    world.configure(LOAD_ALARM + tail)
    world.start()
    before = fire(world)

    world.configure(LOAD_ALARM + BAD + tail)
    result = world.reload()
    expect(result["ok"] is False and result["error"], f"the reload is refused: {result}")
    world.wait_state("TocsinReloadFailed", "ALARM")
    expect(world.state("second") is None and world.state("load") == "ALARM", "nothing changed")
    status, answer = world.api("/v1/reload", "POST")
    expect(status == 422, f"{status}: {answer}")
    lines = [line.replace(world.dir + os.sep, "") for line in answer["errors"]]
    expect(len(lines) >= 3 and all("tocsin.yaml:" in line and ": error: " in line for line in lines), f"all errors: {lines}")
    expect(any("`statistics`" in line and "statistic" in line for line in lines), f"the nearest key: {lines}")
    checked = world.check()
    expect(checked.returncode == 1 and len(checked.stderr.strip().splitlines()) == len(answer["errors"]),
           f"--check says the same: {checked.stderr}")
    told = world.ctl("reload")
    expect(told.returncode == 1 and "error:" in told.stdout + told.stderr, f"tocsinctl reload: {told}")

    world.configure(LOAD_ALARM.replace("severity: critical", "severity: error") + GOOD + tail)
    expect(world.reload()["ok"] is True, "the good file is taken")
    wait_for(lambda: world.state("second") == "INSUFFICIENT_DATA", 20, "the new alarm is there")
    world.wait_state("TocsinReloadFailed", "OK")
    after = world.instances("load")[0]
    expect((after["state"], after["since"], after["fingerprint"], after["severity"])
           == ("ALARM", before["since"], before["fingerprint"], "error"), f"the state is kept: {before} {after}")

    world.configure("alarms: []\n" + tail)
    expect(world.reload()["ok"] is True, "a file without the alarm is taken")
    wait_for(lambda: [body for body in bodies(hook, status="resolved")
                      if body["groupLabels"].get("alertname") == "load"], 20, "a firing alarm that is removed is resolved")


run(scenario)
