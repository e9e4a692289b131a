#!/usr/bin/python3
"""Silence is an alarm when it lasted, but not before it was watched for long enough, restarts included. What was never
seen before is an alarm when it was learned what is usual, and what was learned survives a kill."""

import time

from pieces import QUICK_ROUTE, bodies, hook_receiver
from world import ACCOUNT, REGION, expect, run, wait_for

SPAN_S = 6  # and as long again in which an event may be late
ALARMS = """
poll: {cloudtrail: {every: 1s, lookback: 1m}}
alarms:
  - name: no-backup
    regions: [eu-west-1]
    events: {detection: {s: {eventName: CreateSnapshot}, condition: s}, timespan: 6s, count: {lt: 1}}
  - name: new-region
    regions: [eu-west-1]
    events:
      detection: {s: {eventName: RunInstances}, condition: s}
      timespan: 2s
      first_seen: {key: requestParameters.zone, learn: 10s, forget: 1d}
"""


def event(number, name, zone):
    return {"event": {"eventID": f"00000000-0000-4000-8000-{number:012d}", "eventName": name, "readOnly": False,
                      "eventSource": "ec2.amazonaws.com", "awsRegion": REGION, "eventType": "AwsApiCall",
                      "requestParameters": {"zone": zone},
                      "userIdentity": {"type": "IAMUser", "userName": "ann", "accountId": ACCOUNT}},
            "delay": 0, "region": REGION}


def told(hook, name):
    return [alert for body in bodies(hook, status="firing") for alert in body["alerts"] if alert["labels"]["alertname"] == name]


def read(world, number):
    wait_for(lambda: any(e["id"].endswith(f"{number:012d}") for e in world.get("/v1/cloudtrail/events")["events"]), 30,
             f"event {number} is read")


def scenario(world):
    world.simulator({"cloudtrail": {"delay": 0, "calls_per_second": 0}})
    hook = world.hook()
    world.configure(ALARMS + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    began = time.monotonic()
    world.sim("POST", "events", [event(1, "RunInstances", "a")])
    read(world, 1)
    world.kill()
    world.start()
    if time.monotonic() - began < 2 * SPAN_S - 1:
        expect(world.state("no-backup") == "INSUFFICIENT_DATA", "it was not watched for long enough")
    alarm = wait_for(lambda: told(hook, "no-backup"), 60, "silence is told")[0]
    expect(time.monotonic() - began > 2 * SPAN_S - 2, "and not before it lasted")
    expect(alarm["annotations"]["reason"].startswith("no match within the 6s up to "), f"how long: {alarm}")
    world.sim("POST", "events", [event(100, "CreateSnapshot", "a")])
    world.wait_state("no-backup", "OK")
    wait_for(lambda: len([1 for row in world.get("/v1/history?name=no-backup")["transitions"] if row["to"] == "ALARM"]) == 2,
             60, "silent again")

    expect(not told(hook, "new-region"), "what is learned is not told")
    world.sim("POST", "events", [event(2, "RunInstances", "a")])
    read(world, 2)
    world.kill()
    world.sim("POST", "events", [event(3, "RunInstances", "a"), event(4, "RunInstances", "b")])
    world.start()
    wait_for(lambda: told(hook, "new-region"), 60, "a new one is told")
    read(world, 3)
    world.kill()
    world.start()
    world.sim("POST", "events", [event(5, "RunInstances", "a"), event(6, "RunInstances", "b"), event(7, "RunInstances", "c")])
    wait_for(lambda: max(int(float(alert["annotations"]["matches"])) for alert in told(hook, "new-region")) == 2
             or len({alert["startsAt"] for alert in told(hook, "new-region")}) == 2, 60, "another new one")
    shown = {line for alert in told(hook, "new-region") for line in alert["annotations"]["events"].split("\n")}
    expect(len(shown) == 2, f"b and c, each once, never a: {shown}")


run(scenario)
