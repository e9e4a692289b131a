#!/usr/bin/python3
"""Debian's Alertmanager is fed the same alerts by `format: alertmanager_api`; the webhook body that it posts of them and
our own are the same, field by field, but for what its version lacks and the fingerprint, which each makes its own way."""

import json

from alertmanagers import EXTERNAL, held, start_alertmanager
from pieces import LOAD_ALARM, bodies, clear, fire
from world import expect, run, wait_for

NEWER = {"notification_reason"}  # Alertmanager 0.25 does not have it
SECOND = """
  - name: load-too
    severity: warning
    metric: {namespace: Test, metric_name: Load, statistic: Maximum, period: 60}
    comparison_operator: ">="
    threshold: 90
    evaluation_periods: 1
    treat_missing_data: notBreaching
    settle: 1s
"""
ROUTE = "route: {receiver: people, group_by: [account, region], group_wait: 2s, group_interval: 1s, repeat_interval: 4h}\n"


def same_time(text):
    """Ours has milliseconds; Go leaves out zeros at their end."""
    head, _, fraction = text.rstrip("Z").partition(".")
    return f"{head}.{fraction.ljust(3, '0')}Z"


def alert_of(alert):
    return {**{name: value for name, value in alert.items() if name != "fingerprint"},
            "startsAt": same_time(alert["startsAt"]), "endsAt": same_time(alert["endsAt"])}


def comparable(body):
    body = {name: value for name, value in body.items() if name not in NEWER}
    body["alerts"] = sorted(map(alert_of, body["alerts"]), key=lambda alert: alert["labels"]["alertname"])
    return body


def ended(hook, path):
    """What each alarm's first resolution said, by its name."""
    found = {}
    for body in bodies(hook, path):
        for alert in body["alerts"]:
            if alert["status"] == "resolved":
                found.setdefault(alert["labels"]["alertname"], alert_of(alert))
    return found


def compare(ours, theirs):
    expect(set(ours) - NEWER == set(theirs), f"the same keys: {sorted(ours)} and {sorted(theirs)}")
    for one, other in zip(ours["alerts"], theirs["alerts"]):
        expect(set(one) == set(other), f"the same keys of an alert: {sorted(one)} and {sorted(other)}")
    ours, theirs = comparable(ours), comparable(theirs)
    for name, value in ours.items():
        expect(value == theirs[name], f"{name}:\n  ours   {json.dumps(value)}\n  theirs {json.dumps(theirs[name])}")


def whole(hook, path, status):
    """The newest body with that status that tells of both alarms."""
    found = [body for body in bodies(hook, path, status) if len(body["alerts"]) == 2]
    return found[-1] if found else None


def scenario(world):
    world.simulator({})
    hook = world.hook()
    port = start_alertmanager(world, hook)
    world.configure(LOAD_ALARM + SECOND + ROUTE + f"""
external_url: {EXTERNAL}
receivers:
  - name: people
    webhook:
      - {{url: "{hook.url}/ours"}}
      - {{url: "http://127.0.0.1:{port}/api/v2/alerts", format: alertmanager_api}}
""")
    world.start()
    fire(world)
    for path in ("/ours", "/theirs"):
        wait_for(lambda: whole(hook, path, "firing"), 30, f"both alarms at {path}")
    compare(whole(hook, "/ours", "firing"), whole(hook, "/theirs", "firing"))
    alerts = held(port)
    expect(len(alerts) == 2, f"Alertmanager holds both: {alerts}")
    days = {(int(alert["endsAt"][8:10]) - int(alert["startsAt"][8:10])) % 31 for alert in alerts}
    expect(all(day >= 4 for day in days), f"none ends by itself for days: {alerts}")

    clear(world)
    world.wait_state("load-too", "OK")
    for path in ("/ours", "/theirs"):
        wait_for(lambda: bodies(hook, path, "resolved") and len(ended(hook, path)) == 2, 40, f"both ends at {path}")
    ours, theirs = ended(hook, "/ours"), ended(hook, "/theirs")
    expect(ours == theirs, f"the ends:\n  ours   {json.dumps(ours)}\n  theirs {json.dumps(theirs)}")
    wait_for(lambda: not held(port), 20, "Alertmanager holds none any more")


run(scenario)
