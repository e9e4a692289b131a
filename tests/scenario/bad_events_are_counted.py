#!/usr/bin/python3
"""Events that are no JSON, that are huge, that lack what rules ask for or have null in its place, and a pattern that
explodes on one: each is judged as far as it goes or is a counted skip, and what stands beside them is told."""

import json
import time

from pieces import QUICK_ROUTE, bodies, hook_receiver
from world import ACCOUNT, REGION, expect, run, wait_for

ALARMS = """
poll: {cloudtrail: {every: 1s}}
alarms:
  - name: explodes
    regions: [eu-west-1]
    events: {detection: {s: {requestParameters.name|re: '(a+)+$'}, t: {requestParameters.name|contains: aaab}, condition: s and t}}
  - name: nested
    regions: [eu-west-1]
    events: {detection: {s: {requestParameters.items.name: bad}, condition: s}}
  - name: deletions
    regions: [eu-west-1]
    events: {detection: {s: {eventName: DeleteTrail}, condition: s}}
"""


def entry(number, record, name="DeleteTrail", **more):
    """As LookupEvents shows it: the record is a text."""
    return {"EventId": f"00000000-0000-4000-8000-{number:012d}", "EventName": name, "EventTime": int(time.time()) - 5,
            "EventSource": "cloudtrail.amazonaws.com", "ReadOnly": "false", "Username": "ann", "Resources": [],
            **({"CloudTrailEvent": record if isinstance(record, str) else json.dumps(record)} if record is not None else {}),
            **more}


def record(number, name="CreateTrail", **more):
    return {"eventID": f"00000000-0000-4000-8000-{number:012d}", "eventName": name, "awsRegion": REGION,
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5)),
            "eventSource": "cloudtrail.amazonaws.com", "recipientAccountId": ACCOUNT, **more}


def bad():
    deep = "[" * 100000 + "]" * 100000
    yield entry(1, "this is no JSON")  # judged by what stands around it: a DeleteTrail
    yield entry(2, '{"eventName": "DeleteTrail"')
    yield entry(3, record(3, userIdentity=None, requestParameters=None, responseElements=None, resources=None), "CreateTrail")
    yield entry(4, record(4, requestParameters={"items": [None, 1, {"name": None}, {"name": ["x", "bad"]}]}), "CreateTrail")
    yield entry(5, record(5, requestParameters="{HIDDEN}", userIdentity=[], resources=[None, 7]), "CreateTrail")
    yield entry(6, record(6, requestParameters={"name": "a" * 200 + "b"}), "CreateTrail")
    yield entry(7, record(7, requestParameters={"name": "a" * 262144}), "CreateTrail")
    yield entry(8, f'{{"eventName": "DeleteTrail", "x": {deep}}}')
    yield entry(9, None)
    yield entry(10, "null")
    yield {"CloudTrailEvent": "{}"}  # without id and time: skipped
    yield entry(11, record(11, name="DeleteTrail"))


def told(hook, name):
    return [alert for body in bodies(hook, status="firing") for alert in body["alerts"] if alert["labels"]["alertname"] == name]


def metric(world, name, **labels):
    for line in world.api("/metrics")[1].splitlines():
        if line.startswith(name + "{") and all(f'{key}="{value}"' in line for key, value in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    return 0


def scenario(world):
    world.simulator({"cloudtrail": {"delay": 0, "calls_per_second": 0}})
    hook = world.hook()
    world.configure(ALARMS + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    wait_for(lambda: world.state("deletions") == "OK", 60, "the feed is read")
    world.sim("POST", "faults", [{"match": {"operation": "LookupEvents", "region": REGION, "count": 1},
                                  "do": {"status": 200, "body": json.dumps({"Events": list(bad())})}}])
    alert = wait_for(lambda: told(hook, "deletions"), 60, "what can be judged is told")[-1]
    expect(alert["annotations"]["matches"] == "6", f"by the record, or by what stands around it: {alert['annotations']}")
    wait_for(lambda: told(hook, "nested"), 60, "a list in a list, past nulls")
    expect(world.state("explodes") == "OK", "a test that ran into a limit is not met")
    expect(metric(world, "tocsin_sigma_limits_total", region=REGION, limit="regex") >= 1, "and is counted")
    expect(metric(world, "tocsin_cloudtrail_skipped_events_total", region=REGION, reason="not_json") >= 3, "no JSON is counted")
    expect(metric(world, "tocsin_cloudtrail_skipped_events_total", region=REGION, reason="no_id") == 1, "so is what has no id")
    world.heal()
    world.sim("POST", "events", [{"event": record(20, name="DeleteTrail"), "delay": 0, "region": REGION}])
    wait_for(lambda: told(hook, "deletions")[-1]["annotations"]["matches"] == "7", 60, "the feed goes on")
    ids = {event["id"] for event in world.get("/v1/cloudtrail/events")["events"]}
    expect("00000000-0000-4000-8000-000000000020" in ids, f"and is shown: {ids}")


run(scenario)
