#!/usr/bin/python3
"""The services that a glob finds keep their state over a kill -9 and a reload that changes the threshold, and nothing is
told twice; who vanishes for longer than discovery.grace is resolved with that reason, be it gone while the daemon was
down, with a reload in the middle of its absence, or before its eyes."""

from pieces import bodies, hook_receiver
from world import expect, run, wait_for

ROUTE = """
route: {receiver: people, group_by: [alertname, service], group_wait: 0s, group_interval: 1s}
discovery: {grace: 1m}
"""
ALARMS = """
alarms:
  - name: faults
    service_graph: {service: "shop-*", statistic: fault_rate, minimum_requests: 1}
    comparison_operator: ">="
    threshold: %d
    evaluation_periods: 1
    settle: 1s
"""


def graph(**faults):
    return {"graphs": [{"services": [
        {"name": "shop-" + name, "type": "AWS::Lambda::Function", "requests_per_minute": 60, "fault": fault}
        for name, fault in {**faults, "other": 0}.items()]}]}


def states(world):
    return {entry["labels"].get("service"): entry["state"] for entry in world.instances("faults")}


def told(hook, service, status):
    return [body for body in bodies(hook, status=status) if body["groupLabels"]["service"] == service]


def scenario(world):
    world.simulator({"xray": graph(left=40, gone=40, well=0)})
    hook = world.hook()
    world.configure(ALARMS % 20 + ROUTE + hook_receiver(hook.url), poll={"xray": {"every": "1s"}})
    world.start()
    all_there = {"shop-left": "ALARM", "shop-gone": "ALARM", "shop-well": "OK", "shop-other": "OK"}
    wait_for(lambda: states(world) == all_there, 60, "each service is an instance")
    wait_for(lambda: told(hook, "shop-left", "firing") and told(hook, "shop-gone", "firing"), 20, "both are told")
    wait_for(lambda: len(world.notifications("delivered")) >= 2, 20, "and that is on disk: no crash tells it again")
    before = {entry["fingerprint"]: entry["since"] for entry in world.instances("faults")}
    world.kill()
    world.sim("POST", "xray", graph(left=40, well=0))
    world.start()
    expect({entry["fingerprint"]: entry["since"] for entry in world.instances("faults")} == before, "as they were")
    world.configure(ALARMS % 30 + ROUTE + hook_receiver(hook.url), poll={"xray": {"every": "1s"}})
    calls = len(world.calls(operation="GetServiceGraph"))
    wait_for(lambda: len(world.calls(operation="GetServiceGraph")) > calls, 100, "one more window, without it")
    expect(world.reload()["ok"], "the threshold is another one")
    over = wait_for(lambda: told(hook, "shop-gone", "resolved"), 100, "what vanished meanwhile is resolved")[0]
    expect(over["alerts"][0]["annotations"]["reason"] == "gone: not seen for 1m", f"with that reason: {over}")
    left = [entry for entry in world.instances("faults") if entry["labels"].get("service") == "shop-left"][0]
    expect(left["state"] == "ALARM" and left["since"] == before[left["fingerprint"]] and left["threshold"] == 30,
           f"the reload keeps its state: {left}")
    world.sim("POST", "xray", graph(well=0))
    over = wait_for(lambda: told(hook, "shop-left", "resolved"), 130, "what vanishes is resolved")[0]
    expect(over["alerts"][0]["annotations"]["reason"] == "gone: not seen for 1m", f"with that reason: {over}")
    expect(states(world)["shop-well"] == "OK", "and the others stay")
    for service in ("shop-left", "shop-gone"):
        for status in ("firing", "resolved"):
            expect(len(told(hook, service, status)) == 1, f"{service} {status} once: {told(hook, service, status)}")
        mark = told(hook, service, "firing")[0]["alerts"][0]["fingerprint"]
        rows = world.get(f"/v1/history?name=faults&fingerprint={mark}")["transitions"]
        expect([row["to"] for row in rows].count("ALARM") == 1 and rows[-1]["to"] == "ALARM", f"it began once: {rows}")
        expect(rows[0]["to"] == "OK" and rows[0]["reason"].startswith("gone: "), f"and ended once: {rows}")


run(scenario)
