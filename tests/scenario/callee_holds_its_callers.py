#!/usr/bin/python3
"""While a callee's alarm with suppress_callers fires, alarms on its callers are held, critical ones not, and it shows by
which; when the callee is well and a caller still is not, that is told."""

from pieces import bodies, hook_receiver
from world import expect, run, wait_for

ROUTE = """
route: {receiver: people, group_by: [alertname], group_wait: 2s, group_interval: 1s}
"""
ALARM = """
  - name: {service}-faults
    severity: {severity}
    service_graph: {{service: {service}, statistic: fault_rate, minimum_requests: 1}}
    comparison_operator: ">="
    threshold: 20
    evaluation_periods: 1
    settle: 1s
"""
ALARMS = "alarms:" + (ALARM.format(service="payments", severity="error") + "    suppress_callers: true\n" +
                      ALARM.format(service="checkout", severity="error") +
                      ALARM.format(service="front-end", severity="critical"))


def graph(**faults):
    def figures(name):
        return {"requests_per_minute": 60, "fault": faults.get(name, 0), "latency": 0.2}
    return {"graphs": [{
        "services": [{"name": "front-end", "type": "A", "root": True, **figures("front")},
                     {"name": "checkout", "type": "A", **figures("checkout")},
                     {"name": "payments", "type": "A", **figures("payments")}],
        "edges": [{"from": "front-end", "to": "checkout"}, {"from": "checkout", "to": "payments"}]}]}


def told(hook):
    return {body["groupLabels"]["alertname"] for body in bodies(hook, status="firing")}


def scenario(world):
    world.simulator({"xray": graph()})
    hook = world.hook()
    world.configure(ALARMS + ROUTE + hook_receiver(hook.url), poll={"xray": {"every": "1s"}})
    world.start()
    world.wait_state("payments-faults", "OK", 60)
    world.sim("POST", "xray", graph(front=40, checkout=40, payments=40))
    for name in ("payments-faults", "checkout-faults", "front-end-faults"):
        world.wait_state(name, "ALARM", 100)
    wait_for(lambda: told(hook) >= {"payments-faults", "front-end-faults"}, 30, "callee and critical caller are told")
    by = world.instances("checkout-faults")[0]["inhibited_by"]
    expect(by == [world.instances("payments-faults")[0]["fingerprint"]], f"it says by whom the other is held: {by}")
    expect(told(hook) == {"payments-faults", "front-end-faults"}, f"and it is: {told(hook)}")
    world.sim("POST", "xray", graph(checkout=40))
    world.wait_state("payments-faults", "OK", 100)
    if world.state("checkout-faults") == "ALARM":
        wait_for(lambda: "checkout-faults" in told(hook), 30, "what still fires is told then")


run(scenario)
