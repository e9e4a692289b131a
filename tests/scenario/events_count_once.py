#!/usr/bin/python3
"""CloudTrail events count once: whoever is killed, whatever comes again or late. A rule's match reads like a sentence,
further matches are told as so many more, and the alarm ends when its timespan has passed without one."""

import json
import time

from figures import figure
from pieces import bodies, hook_receiver
from world import ACCOUNT, REGION, expect, run, wait_for

ROUTE = """
route: {receiver: people, group_by: [alertname, who], group_wait: 0s, group_interval: 1s}
"""
ALARMS = """
poll: {cloudtrail: {every: 1s}}
alarms:
  - name: root-used
    severity: critical
    events:
      detection:
        selection: {userIdentity.type: Root}
        filter: {eventType: AwsServiceEvent}
        condition: selection and not filter
      timespan: 20s
  - name: three-refusals
    events:
      detection: {selection: {errorCode|startswith: AccessDenied}, condition: selection}
      group-by: [userIdentity.userName]
      count: {gte: 3}
      timespan: 1m
"""


def root(number, name="ConsoleLogin"):
    return {"eventID": f"00000000-0000-4000-8000-{number:012d}", "eventName": name, "eventSource": "signin.amazonaws.com",
            "awsRegion": REGION, "sourceIPAddress": "203.0.113.7", "eventType": "AwsConsoleSignIn", "readOnly": False,
            "userIdentity": {"type": "Root", "accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root"}}


def refused(number, user):
    return {"eventID": f"00000000-0000-4000-8000-{number:012d}", "eventName": "DeleteTrail", "awsRegion": REGION,
            "eventSource": "cloudtrail.amazonaws.com", "errorCode": "AccessDenied", "readOnly": False,
            "eventType": "AwsApiCall", "sourceIPAddress": "198.51.100.1",
            "userIdentity": {"type": "IAMUser", "userName": user, "accountId": ACCOUNT,
                             "arn": f"arn:aws:iam::{ACCOUNT}:user/{user}"}}


def post(world, *records, delay=0, at=None):
    entries = [{"event": record, "delay": delay, "region": REGION, **({"at": at} if at is not None else {})}
               for record in records]
    world.sim("POST", "events", entries)


def told(hook, name, status="firing"):
    return [alert for body in bodies(hook, status=status) for alert in body["alerts"] if alert["labels"]["alertname"] == name]


def matches(hook, name):
    return max([int(float(alert["annotations"].get("matches", 0))) for alert in told(hook, name)], default=0)


def scenario(world):
    world.simulator({"cloudtrail": {"delay": 0, "calls_per_second": 0, "repeat": 0.3, "reorder": True}})
    hook = world.hook()
    world.configure(ALARMS + ROUTE + hook_receiver(hook.url))
    world.start()
    wait_for(lambda: world.state("root-used") == "OK", 60, "a complete reading without a match is good")
    post(world, root(1))
    first = wait_for(lambda: told(hook, "root-used"), 60, "root is told")[0]
    words = first["annotations"]
    expect("root" in words["summary"] and "ConsoleLogin" in words["summary"] and "203.0.113.7" in words["summary"],
           f"a sentence: {words}")
    expect(words["who"] and words["events"].count("\n") == 0 and words["result"] == "success", f"who and what: {words}")
    expect("cloudtrail" in first["generatorURL"], f"a link to the event: {first}")
    world.kill()
    post(world, root(2), root(1))
    world.start()
    wait_for(lambda: matches(hook, "root-used") == 2, 60, "one more is told, and the first not again")
    more = told(hook, "root-used")[-1]["annotations"]
    expect(more["more"] == "1" and "1 more" in more["summary"], f"as one more: {more}")
    old = root(3, "CreateAccessKey")
    post(world, old, at="-3m")
    wait_for(lambda: matches(hook, "root-used") == 3, 60, "a late one is told all the same")
    for number in range(10, 13):
        post(world, refused(number, "ann"))
    post(world, refused(20, "bob"), refused(21, "bob"))
    wait_for(lambda: told(hook, "three-refusals"), 60, "the third refusal fires")
    groups = {alert["labels"].get("userIdentity_userName") for alert in told(hook, "three-refusals")}
    expect(groups == {"ann"}, f"an instance a user, and two are not three: {groups}")
    over = wait_for(lambda: told(hook, "root-used", "resolved"), 90, "quiet for its timespan")[0]
    expect("no match for 20s" in over["annotations"]["reason"], f"why it ended: {over}")
    time.sleep(3)
    expect(matches(hook, "root-used") == 3, "nothing is counted twice")
    read = json.loads(world.ctl("--json", "events").stdout)["events"]
    expect({event["id"][-3:] for event in read} >= {"001", "002", "003", "012"}, f"what was read: {read}")
    ids = [event["id"] for event in read]
    expect(len(ids) == len(set(ids)), "each once")
    figure(f"{len(set(ids))} events out of order, three of ten repeated, over a kill -9: each counted once")
    shown = world.ctl("events", "--rule", "root-used")
    expect(shown.returncode == 0 and "ConsoleLogin" in shown.stdout and "DeleteTrail" not in shown.stdout, shown.stdout)


run(scenario)
