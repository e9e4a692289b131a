#!/usr/bin/python3
"""A denied call names the IAM action that is missing, in the alarm, the log and the API; the state is not invented."""

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire, hook_receiver
from world import expect, run, wait_for

ACTION = "cloudwatch:GetMetricData"


def scenario(world):
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    fire(world)
    world.fault("denied", operation="GetMetricData")
    found = world.wait_state("TocsinSourceFailing", "ALARM")
    expect(ACTION in found["reason"], f"the reason names {ACTION}: {found['reason']}")
    expect("load" in found["reason"], f"the reason names the alarms that are blind: {found['reason']}")
    load = world.instances("load")[0]
    expect(load["state"] == "ALARM" and load["evaluation_error"], f"the state stays, and says that it is blind: {load}")
    wait_for(lambda: [body for body in bodies(hook) if body["commonLabels"].get("alertname") == "TocsinSourceFailing"], 20,
             "people are told")
    expect(ACTION in world.log(), "the log names the action")
    source = world.get("/v1/sources")["sources"][0]
    expect(ACTION in str(source["last_error"]), f"/v1/sources names it: {source}")
    world.heal()
    world.wait_state("TocsinSourceFailing", "OK")
    wait_for(lambda: world.instances("load")[0]["evaluation_error"] is None, 20, "the blindness ends")
    expect(not [entry for entry in world.get("/v1/history?name=load")["transitions"]
                if entry["to"] == "INSUFFICIENT_DATA"], "no transition was invented")


run(scenario)
