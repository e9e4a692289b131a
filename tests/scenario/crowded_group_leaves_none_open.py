#!/usr/bin/python3
"""Sixty alerts of one group, of which a message shows twenty: PagerDuty hears of the begin and the end of each, and of a
crowd only where there is one; Alertmanager holds all of them, and then none."""

from alertmanagers import held, start_alertmanager
from pieces import bodies
from world import expect, run, wait_for

HOSTS = [f"i-{number:02}" for number in range(60)]
FIRST, SECOND = HOSTS[::2], HOSTS[1::2]


def alarm(host):
    return f"""
  - name: load-{host}
    severity: error
    metric: {{namespace: Test, metric_name: Load, dimensions: {{Host: {host}}}, statistic: Average, period: 60}}
    comparison_operator: ">"
    threshold: 80
    evaluation_periods: 1
    treat_missing_data: notBreaching
    settle: 1s
"""


def push(world, hosts, value, **more):
    for host in hosts:
        world.push(value, dimensions={"Host": host}, **more)


def calm(world, hosts):
    for minute in range(-5, 0):
        push(world, hosts, 1, minute=minute, count=200)


def configure(world, hook, port):
    world.secret("pagerduty-key", "an-integration-key-3391")
    world.configure("alarms:" + "".join(map(alarm, HOSTS)) + f"""
route: {{receiver: people, group_by: [region], group_wait: 10s, group_interval: 3s, repeat_interval: 4h}}
receivers:
  - name: people
    webhook:
      - {{url: "{hook.url}/ours"}}
      - {{url: "{hook.url}/pagerduty", format: pagerduty, routing_key_file: pagerduty-key}}
      - {{url: "http://127.0.0.1:{port}/api/v2/alerts", format: alertmanager_api}}
""")


def events(hook):
    return [entry.json for entry in hook.at("/pagerduty")]


def open_incidents(hook):
    """What PagerDuty holds by now: key -> summary."""
    found = {}
    for event in events(hook):
        if event["event_action"] == "trigger":
            found[event["dedup_key"]] = event["payload"]["summary"]
        else:
            found.pop(event["dedup_key"], None)
    return found


def named(hook):
    """Those of the alerts themselves, not of their group."""
    return {key for key in open_incidents(hook) if not key.startswith("group-")}


def fingerprints(world, hosts):
    return {alarm["fingerprint"] for alarm in world.get("/v1/alarms")["alarms"]
            if alarm["labels"].get("Host") in hosts}


def scenario(world):
    world.simulator({})
    hook = world.hook()
    port = start_alertmanager(world, hook)
    configure(world, hook, port)
    push(world, HOSTS, 95)
    world.start()
    wait_for(lambda: world.get("/v1/status")["alarms"]["ALARM"] == len(HOSTS), 60, "all are in ALARM")
    all_of_them, second = fingerprints(world, HOSTS), fingerprints(world, SECOND)
    expect(len(all_of_them) == len(HOSTS), f"an alarm each: {len(all_of_them)}")
    wait_for(lambda: named(hook) == all_of_them, 40, "PagerDuty has an incident for each")
    wait_for(lambda: len(held(port)) == len(HOSTS), 20, "Alertmanager holds each")
    expect(max(len(body["alerts"]) for body in bodies(hook, "/ours")) == 20, "people are shown twenty")
    expect(all("rest" not in body for body in bodies(hook, "/ours")), "the default body is Alertmanager's")

    calm(world, FIRST)
    wait_for(lambda: named(hook) == second, 60, "PagerDuty has those of the second half")
    wait_for(lambda: len(held(port)) == len(SECOND), 20, "Alertmanager holds the second half")
    some = [body for body in bodies(hook, "/ours", "firing") if any(alert["status"] == "resolved" for alert in body["alerts"])]
    expect(some, "people see what ended beside what fires")

    calm(world, SECOND)
    wait_for(lambda: not open_incidents(hook), 60, "PagerDuty has none open")
    wait_for(lambda: not held(port), 20, "Alertmanager holds none any more")
    keys = {action: {event["dedup_key"] for event in events(hook) if event["event_action"] == action}
            for action in ("trigger", "resolve")}
    expect(keys["trigger"] == all_of_them, f"what was triggered: {sorted(keys['trigger'] ^ all_of_them)}")
    expect(keys["resolve"] >= all_of_them, f"what was not resolved: {sorted(all_of_them - keys['resolve'])}")


run(scenario)
