#!/usr/bin/python3
"""Alarms on traces and insights: the ratio with example traces, an insight from active to closed; a group that does not
exist, a filter that X-Ray refuses and traces that lie elsewhere are told in words."""

from pieces import QUICK_ROUTE, bodies, hook_receiver
from world import expect, run, wait_for

INSIGHT = "f9a1b2c3-1111-4222-8333-444455556666"
WORLD = {
    "xray": {
        "groups": [{"name": "shop", "insights": True}],
        "traces": [{"filter": 'service("checkout") AND responsetime > 3', "per_minute": 30, "service": "checkout",
                    "response_time": 4},
                   {"filter": 'service("checkout")', "per_minute": 60, "service": "checkout", "response_time": 1},
                   {"filter": "fault &&", "invalid": True}],
        "insights": [{"id": INSIGHT, "group": "shop", "state": {"begin": "0s"}, "summary": "payments fails",
                      "root_cause": {"name": "payments", "type": "AWS::Lambda::Function"},
                      "impact": {"FaultCount": 38, "OkCount": 82, "TotalCount": 120}}]},
}
ALARMS = """
alarms:
  - name: slow
    traces: {filter: 'service("checkout") AND responsetime > 3', of: 'service("checkout")', statistic: ratio, window: 1m}
    comparison_operator: ">"
    threshold: 20
    evaluation_periods: 1
    settle: 1s
  - name: refused
    traces: {filter: 'fault &&', statistic: count, window: 1m}
    comparison_operator: ">"
    threshold: 0
    evaluation_periods: 1
  - name: insights
    severity: critical
    insights: {group: shop}
  - name: nowhere
    service_graph: {group: none-such, service: "*", statistic: fault_rate}
    comparison_operator: ">"
    threshold: 1
    evaluation_periods: 1
"""


def told(hook, name, status="firing"):
    return [alert for body in bodies(hook, status=status) for alert in body["alerts"] if alert["labels"]["alertname"] == name]


def error(world, name):
    return (world.instances(name) or [{}])[0].get("evaluation_error") or ""


def scenario(world):
    world.simulator(WORLD)
    hook = world.hook()
    world.configure(ALARMS + QUICK_ROUTE + hook_receiver(hook.url), poll={"xray": {"every": "1s"}})
    world.start()
    slow = wait_for(lambda: told(hook, "slow"), 100, "the ratio is told")[0]
    expect(abs(float(slow["annotations"]["value"]) - 50) < 10, f"thirty of sixty: {slow}")
    links = [word for word in slow["annotations"]["trace_links"].split() if word.startswith("https://")]
    expect(0 < len(links) <= 5, f"example traces with links: {slow}")
    ledger = world.get("/v1/status")["aws"]
    expect(ledger["traces_scanned"] > 0, f"traces are in the ledger: {ledger}")
    insight = wait_for(lambda: told(hook, "insights"), 40, "the insight is told")[0]
    text = str(insight)
    expect("payments" in text and INSIGHT in text and "38" in text, f"its root cause and its impact: {insight}")
    expect("fault &&" in error(world, "refused") or "nvalid" in error(world, "refused"), error(world, "refused"))
    expect("none-such" in error(world, "nowhere"), f"the group is named: {error(world, 'nowhere')}")
    ended = dict(WORLD["xray"])
    ended["insights"] = [{**ended["insights"][0], "state": {"begin": "-60s", "end": "-1s"}}]
    world.sim("POST", "xray", ended)
    over = wait_for(lambda: told(hook, "insights", "resolved"), 40, "its end is told")[0]
    expect("CLOSED" in over["annotations"]["reason"], f"closed by X-Ray: {over}")
    world.sim("POST", "xray", {**ended, "destination": "CloudWatchLogs"})
    world.restart()
    words = wait_for(lambda: error(world, "slow"), 40, "hidden traces are told")
    expect("CloudWatch Logs" in words or "Transaction Search" in words, f"in words: {words}")


run(scenario)
