"""An alarm on each of CloudWatch, X-Ray and CloudTrail, and what the scenarios about a bad AWS look at."""

import time

from pieces import LOAD_ALARM
from world import ACCOUNT, REGION

ALARMS = LOAD_ALARM + """
  - name: faults
    service_graph: {service: shop, statistic: fault_rate, minimum_requests: 1}
    comparison_operator: ">="
    threshold: 20
    evaluation_periods: 1
    settle: 1s
  - name: deletions
    regions: [eu-west-1]
    events: {detection: {s: {eventName: DeleteTrail}, condition: s}, timespan: 1h}
"""
# The load is too high all the time: a window that moves on changes nothing.
WORLD = {"start": time.time() - 3600, "metrics": [{"namespace": "Test", "name": "Load", "every": "10s", "series": [95]}],
         "cloudtrail": {"delay": 0, "calls_per_second": 0, "repeat": 0.3, "reorder": True},
         "xray": {"graphs": [{"services": [{"name": "shop", "type": "AWS::EC2::Instance", "root": True, "fault": 50,
                                            "requests_per_minute": 60, "latency": 0.1}], "edges": []}]}}
OPERATIONS = {"load": "GetMetricData", "faults": "GetServiceGraph", "deletions": "LookupEvents"}
EACH_SECOND = {name: {"every": "1s"} for name in ("cloudwatch", "xray", "cloudtrail")}


def delete_trail(world, number):
    """An event that the alarm `deletions` counts."""
    world.sim("POST", "events", [{"event": {
        "eventID": f"00000000-0000-4000-8000-{number:012d}", "eventName": "DeleteTrail", "awsRegion": REGION, "readOnly": False,
        "eventSource": "cloudtrail.amazonaws.com", "eventType": "AwsApiCall",
        "userIdentity": {"type": "IAMUser", "userName": "ann", "accountId": ACCOUNT}}, "delay": 0, "region": REGION}])


def matches(world):
    """How many events `deletions` has counted."""
    return world.instances("deletions")[0]["value"]


def states(world):
    return {name: world.state(name) for name in OPERATIONS}


def blind(world):
    """The alarms that say why they cannot see."""
    return {entry["name"] for entry in world.instances() if entry["evaluation_error"]}


def transitions(world):
    """(name, to) of all that are not Tocsin's own, the oldest first."""
    found = world.get("/v1/history")["transitions"]
    return [(entry["name"], entry["to"]) for entry in reversed(found) if not entry["name"].startswith("Tocsin")]
