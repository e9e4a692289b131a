#!/usr/bin/python3
"""What a failing page leaves unread is a gap in the state: read after a restart, told once, and counted as lag until
then. Throttling alone is no failure; a source that fails three times in a row is told of, and so is its end."""

import time

from pieces import QUICK_ROUTE, bodies, hook_receiver
from world import ACCOUNT, REGION, expect, run, wait_for

HOME = "us-east-1"
EVENTS = 400  # eight pages
ALARMS = """
poll: {cloudtrail: {every: 1s}}
alarms:
  - name: deletions
    events: {detection: {s: {eventName: DeleteTrail}, condition: s}, timespan: 1h}
"""


def deletion(number, ago_s):
    return {"event": {"eventID": f"00000000-0000-4000-8000-{number:012d}", "eventName": "DeleteTrail", "readOnly": False,
                      "eventSource": "cloudtrail.amazonaws.com", "awsRegion": REGION, "eventType": "AwsApiCall",
                      "userIdentity": {"type": "IAMUser", "userName": "ann", "accountId": ACCOUNT}},
            "delay": 0, "region": REGION, "at": f"-{ago_s}s"}


def told(hook, status="firing", name="deletions"):
    return [alert for body in bodies(hook, status=status) for alert in body["alerts"] if alert["labels"]["alertname"] == name]


def counted(hook):
    return max([int(float(alert["annotations"]["matches"])) for alert in told(hook)], default=0)


def lag(world):
    return [source["lag_seconds"] for source in world.get("/v1/sources")["sources"] if source["region"] == REGION][0]


def scenario(world):
    world.simulator({"cloudtrail": {"delay": 0, "calls_per_second": 0}})
    hook = world.hook()
    world.configure(ALARMS + QUICK_ROUTE + hook_receiver(hook.url))
    # The newest first: what the third page and those behind it would show are the older ones.
    world.sim("POST", "events", [deletion(number, 60 + 5 * number) for number in range(EVENTS)])
    world.sim("POST", "faults", [{"match": {"operation": "LookupEvents", "region": REGION, "nth": 3},
                                  "do": {"error": {"code": "InternalServerError", "status": 500, "message": "no"}}}])
    world.start()
    wait_for(lambda: counted(hook) == 100, 60, "what was read counts though the rest failed")
    expect(wait_for(lambda: lag(world) > 5 * 100, 30, "what is not read counts as lag"), "lag")
    failing = wait_for(lambda: told(hook, name="TocsinSourceFailing"), 120, "people are told of the failing source")[0]
    expect(failing["labels"]["api"] == "LookupEvents" and failing["labels"]["region"] == REGION
           and "deletions" in failing["annotations"]["reason"], f"which, and who is blind: {failing}")
    expect("ALARM" in [entry["state"] for entry in world.instances("deletions")], "the state stays")
    world.kill()
    world.heal()
    throttled = world.fault({"throttle": True}, operation="LookupEvents", region=REGION, count=2)
    world.start()
    wait_for(lambda: counted(hook) == EVENTS, 60, "the gap is read behind the restart")
    expect(throttled, "through two throttled calls")
    wait_for(lambda: told(hook, "resolved", "TocsinSourceFailing"), 60, "the source is read again")
    wait_for(lambda: lag(world) < 300, 30, "and is not behind any more")
    time.sleep(3)
    expect(counted(hook) == EVENTS, f"each counts once: {counted(hook)}")
    home = [source for source in world.get("/v1/sources")["sources"] if source["region"] == HOME]
    expect(home and home[0]["last_error"] is None, f"the other region never failed: {home}")


run(scenario)
