#!/usr/bin/python3
"""A composite goes off with its children, waits for its suppressor, and neither a kill nor a reload loses that."""

import time

from pieces import QUICK_ROUTE, bodies, hook_receiver
from world import expect, run, wait_for

CHILD = """
  - name: {name}
    metric: {{namespace: Test, metric_name: {metric}, statistic: Average, period: 60}}
    comparison_operator: ">"
    threshold: 80
    evaluation_periods: 1
    treat_missing_data: notBreaching
    settle: 1s
"""
ALARMS = "alarms:" + "".join(CHILD.format(name=name, metric=metric) for name, metric in
                             (("load", "Load"), ("errors", "Errors"), ("deploy", "Deploy"))) + """
  - name: site-down
    severity: critical
    composite: {rule: 'ALARM("load") AND NOT OK("errors")'}
  - name: site-down-by-itself
    composite: {rule: 'ALARM("site-down")'}
    suppressor: {alarm: deploy, wait: 6s, extension: 3s}
"""
ROUTE = QUICK_ROUTE.replace("}", ", group_by: [alertname]}", 1)


def told(hook, name):
    return [body["status"] for body in bodies(hook) if body["groupLabels"].get("alertname") == name]


def push(world, name, value):
    for minute in range(-4, 0):
        world.push(value, minute=minute, name=name, count=1 if value > 80 else 500)


def scenario(world):
    world.simulator({})
    hook = world.hook()
    tail = ROUTE + hook_receiver(hook.url)
    world.configure(ALARMS + tail)
    world.start()
    world.wait_state("site-down", "OK")

    push(world, "Load", 95)
    world.wait_state("load", "ALARM")
    expect(world.state("site-down") == "OK", "one of two is not enough")
    push(world, "Deploy", 95)
    world.wait_state("deploy", "ALARM")
    push(world, "Errors", 95)
    composite = world.wait_state("site-down", "ALARM")
    expect(composite["source"] == "composite" and composite["labels"]["source"] == "composite", composite)
    expect(composite["account"] == "default" and composite["region"] == "eu-west-1", composite)
    expect("errors is ALARM" in composite["reason"], composite["reason"])
    wait_for(lambda: told(hook, "site-down") == ["firing"], 20, "the composite is told")
    world.wait_state("site-down-by-itself", "ALARM")
    shown = wait_for(lambda: world.ctl("show", "site-down-by-itself").stdout, 10, "it is shown")
    expect("waits for `deploy`" in shown, shown)

    time.sleep(8)
    world.kill()
    world.start()
    world.wait_state("site-down", "ALARM")
    held = world.instances("site-down-by-itself")[0]
    expect(held["state"] == "ALARM" and held["suppressed_by"] == "deploy", f"held by its suppressor: {held}")
    expect(told(hook, "site-down-by-itself") == [], "nobody is told while the suppressor is in ALARM")

    push(world, "Deploy", 1)
    world.wait_state("deploy", "OK")
    wait_for(lambda: told(hook, "site-down-by-itself") == ["firing"], 20, "what is left is told behind the extension")
    push(world, "Load", 1)
    world.wait_state("site-down", "OK")
    wait_for(lambda: told(hook, "site-down") == ["firing", "resolved"], 20, "its end is told")
    wait_for(lambda: told(hook, "site-down-by-itself") == ["firing", "resolved"], 30, "the other's end, too")

    world.configure(ALARMS.replace('ALARM("site-down")', 'ALARM("nobody")') + tail)
    refused = world.reload()
    expect(not refused["ok"] and "there is no alarm `nobody`" in refused["error"], refused)


run(scenario)
