#!/usr/bin/python3
"""A fault deep in the service graph fires its callers' alarms, and each message names the deepest faulty node, the path
to it and who suffers; the map shows the same; when the fault ends, all is resolved."""

import json

from pieces import bodies, hook_receiver
from world import expect, run, wait_for

SEARCH = "search \x1b]0;owned\n"  # a name is whatever somebody sends
ROUTE = """
route: {receiver: people, group_by: [alertname, service], group_wait: 0s, group_interval: 1s}
"""
ALARMS = """
alarms:
  - name: faults
    severity: error
    service_graph: {service: "*", statistic: fault_rate, minimum_requests: 1}
    comparison_operator: ">="
    threshold: 20
    evaluation_periods: 1
    settle: 1s
  - name: to-payments
    service_graph: {service: checkout, edge_to: payments, statistic: p50}
    comparison_operator: ">"
    threshold: 1
    evaluation_periods: 1
    settle: 1s
  - name: never
    service_graph: {service: checkout, edge_to: nobody, statistic: request_count}
    comparison_operator: ">"
    threshold: 1
    evaluation_periods: 1
    settle: 1s
"""


def graph(fault):
    figures = {"requests_per_minute": 60, "fault": fault, "latency": [[0.2, 50], [2.5, 50 if fault == 0 else 500]]}
    return {"graphs": [{
        "services": [{"name": "browser", "type": "client"},
                     {"name": "front-end", "type": "AWS::EC2::Instance", "root": True, **figures},
                     {"name": "checkout", "type": "AWS::ECS::Container", **figures},
                     {"name": "payments", "type": "AWS::Lambda::Function", **figures},
                     {"name": SEARCH, "type": "remote", "requests_per_minute": 60, "fault": 0, "latency": 0.1}],
        "edges": [{"from": "browser", "to": "front-end"}, {"from": "front-end", "to": "checkout"},
                  {"from": "checkout", "to": "payments"}, {"from": "payments", "to": "checkout"},
                  {"from": "front-end", "to": SEARCH}]}]}


def firing(world):
    return sorted(entry["labels"].get("service", "") for entry in world.instances("faults") if entry["state"] == "ALARM")


def scenario(world):
    world.simulator({"xray": graph(0)})
    hook = world.hook()
    world.configure(ALARMS + ROUTE + hook_receiver(hook.url), poll={"xray": {"every": "1s"}})
    world.start()
    wait_for(lambda: len(world.instances("faults")) == 4 and world.state("faults") == "OK", 40, "each service has a row")
    expect(not [entry for entry in world.instances("faults") if entry["labels"]["service"] == "browser"],
           "a client is no service")
    row = world.instances("never")[0]
    expect(row["state"] == "INSUFFICIENT_DATA" and row["reason"] == "no series", f"an edge that never was: {row}")
    world.sim("POST", "xray", graph(40))
    wait_for(lambda: firing(world) == ["checkout", "front-end", "payments"], 100, "callers and callee fire")
    front = wait_for(lambda: [body["alerts"][0] for body in bodies(hook, status="firing")
                              if body["groupLabels"] == {"alertname": "faults", "service": "front-end"}], 20, "the message")[0]
    notes = front["annotations"]
    expect(notes["root_cause"].startswith("payments faults "), f"the deepest faulty node: {notes}")
    expect(notes["path"].startswith("front-end → checkout → payments: payments faults "), f"the path: {notes}")
    expect("browser" in notes["affected"], f"who is affected: {notes}")
    expect("ServiceMap" in front["generatorURL"] or "xray" in front["generatorURL"], f"a link to the map: {front}")
    edge = world.wait_state("to-payments", "ALARM", 100)
    expect(edge["labels"]["edge_to"] == "payments" and edge["value"] > 1, f"the edge as its caller sees it: {edge}")
    tree = world.ctl("xray", "map")
    expect(tree.returncode == 0 and "browser [client]" in tree.stdout and "└─ checkout" in tree.stdout.replace("├", "└")
           and "(a cycle)" in tree.stdout and "faults ALARM" in tree.stdout, f"the map: {tree.stdout}{tree.stderr}")
    expect("\x1b" not in tree.stdout and "search \\x1b]0;owned\\x0a [remote]" in tree.stdout, f"harmless: {tree.stdout}")
    answer = json.loads(world.ctl("--json", "xray", "map").stdout)
    expect({node["name"] for node in answer["nodes"]} >= {"payments", "browser"} and len(answer["edges"]) == 5, answer)
    expect("style=dashed" not in world.ctl("xray", "map", "--dot").stdout, "no edge is asynchronous")
    world.sim("POST", "xray", graph(0))
    wait_for(lambda: not firing(world), 100, "all is well again")
    over = wait_for(lambda: bodies(hook, status="resolved"), 20, "people are told of the end")[0]
    expect("root_cause" in over["alerts"][0]["annotations"], f"what it was stays with the end: {over}")
    graphs = world.calls(operation="GetServiceGraph")
    windows = {(call["request"]["StartTime"], call["request"]["EndTime"]) for call in graphs if "request" in call}
    expect(all(end - start == 60 and start % 60 == 0 for start, end in windows), f"whole minutes: {windows}")


run(scenario)
