#!/usr/bin/python3
"""Beside an alarm of any source stand the write events that touch its resource, then those of its service: who, what,
when. Reads and failures are no changes, and other services' neither. What comes late is shown when it has come, and a
line each."""

from pieces import QUICK_ROUTE, bodies, hook_receiver
from world import ACCOUNT, REGION, expect, run, wait_for

ALARMS = """
poll: {cloudtrail: {every: 1s}, cloudwatch: {every: 1s}}
alarms:
  - name: errors
    metric: {namespace: AWS/Lambda, metric_name: Errors, dimensions: {FunctionName: checkout-api}, statistic: Sum, period: 60}
    comparison_operator: ">"
    threshold: 80
    evaluation_periods: 1
    settle: 1s
    treat_missing_data: notBreaching
  - name: root
    events: {detection: {s: {userIdentity.type: Root}, condition: s}}
"""


def event(number, name, service="lambda.amazonaws.com", function=None, **more):
    return {"event": {"eventID": f"00000000-0000-4000-8000-{number:012d}", "eventName": name, "eventSource": service,
                      "awsRegion": REGION, "sourceIPAddress": "198.51.100.1", "eventType": "AwsApiCall", "readOnly": False,
                      "requestParameters": {"functionName": function} if function else None,
                      "userIdentity": {"type": "IAMUser", "userName": "ann", "accountId": ACCOUNT,
                                       "arn": f"arn:aws:iam::{ACCOUNT}:user/ann"}, **more},
            "delay": 0, "region": REGION}


def scenario(world):
    world.simulator({"cloudtrail": {"delay": 0, "calls_per_second": 0}})
    hook = world.hook()
    world.configure(ALARMS + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    wait_for(lambda: world.state("root") == "OK", 60, "CloudTrail is read")
    world.sim("POST", "events", [
        event(1, "UpdateFunctionCode20150331v2", function=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checkout-api"),
        event(2, "CreateFunction", function="something-else"), event(3, "StopInstances", "ec2.amazonaws.com"),
        event(4, "GetFunction", function="checkout-api", readOnly=True),
        event(5, "DeleteFunction", function="checkout-api", errorCode="AccessDenied")])
    wait_for(lambda: len(world.get("/v1/cloudtrail/events")["events"]) >= 4, 60, "they are read")
    world.push(95, name="Errors", namespace="AWS/Lambda", dimensions={"FunctionName": "checkout-api"})
    alert = wait_for(lambda: [a for body in bodies(hook, status="firing") for a in body["alerts"]], 60, "people are told")[0]
    lines = alert["annotations"]["what_changed"].split("\n")
    expect(lines[0].startswith("as of ") and len(lines) == 3, f"two changes: {lines}")
    expect("UpdateFunctionCode" in lines[1] and "ann" in lines[1], f"the same resource first: {lines}")
    expect("CreateFunction" in lines[2], f"then the same service: {lines}")
    shown = world.ctl("show", "errors").stdout
    expect("what_changed" in shown and "UpdateFunctionCode" in shown, f"show says it, too: {shown}")
    late = {**event(6, "UpdateFunctionConfiguration20150331v2", function="checkout-api"), "at": "-1m"}
    world.sim("POST", "events", [late])
    wait_for(lambda: "UpdateFunctionConfiguration" in world.ctl("show", "errors").stdout, 30, "a late one is shown, too")
    lines = world.ctl("show", "errors").stdout.split("\n")
    expect("\\x0a" not in "".join(lines) and sum("lambda:" in line for line in lines) == 3, f"each on its line: {lines}")
    world.configure("what_changed: false\n" + ALARMS + QUICK_ROUTE + hook_receiver(hook.url))
    world.reload()
    expect("what_changed" not in world.get("/v1/alarms/errors")["instances"][0]["annotations"], "turned off")


run(scenario)
