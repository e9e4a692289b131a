#!/usr/bin/python3
"""Metric math fires like a metric, a query is an instance a series, and an expression that CloudWatch refuses is told in
its words, at its own alarm alone."""

from pieces import bodies, hook_receiver
from world import expect, run, wait_for

RULE = """
    comparison_operator: ">"
    threshold: {}
    evaluation_periods: 1
    settle: 1s
    every: 2s
"""
METRIC = "{{id: {}, namespace: Shop, metric_name: {}, statistic: Sum}}"
ERRORS, REQUESTS = METRIC.format("errors", "Errors"), METRIC.format("requests", "Requests")
ALARMS = f"""
alarms:
  - name: error-rate
    metrics:
      - {ERRORS}
      - {REQUESTS}
      - {{id: rate, expression: 100 * errors / requests, label: percent, return_data: true}}{RULE.format(5)}
  - name: quiet
    metrics:
      - {ERRORS}
      - {{id: twice, expression: "FILL(errors, 0) * 2", return_data: true}}{RULE.format(1000)}
  - name: wrong
    metrics:
      - {ERRORS}
      - {{id: rate, expression: "NO_SUCH(errors)", return_data: true}}{RULE.format(5)}
  - name: busy
    metrics:
      - {{id: q, expression: 'SELECT MAX(CPU) FROM SCHEMA("Shop", Host, Role) GROUP BY Host, Role'}}{RULE.format(80)}
  - name: hosts
    metrics:
      - {{id: s, expression: "SEARCH('{{Shop,Host,Role}} MetricName=\\"CPU\\"', 'Maximum')", label: "${{PROP('Dim.Host')}}"}}{RULE.format(1000)}
"""
ROUTE = """
route: {receiver: people, group_by: [alertname, Host], group_wait: 0s, group_interval: 1s}
"""


def host(name, role, value):
    return {"namespace": "Shop", "name": "CPU", "dimensions": {"Host": name, "Role": role}, "every": "10s", "series": value}


def scenario(world):
    world.simulator({"metrics": [{"namespace": "Shop", "name": "Errors", "every": "10s", "series": 3},
                                 {"namespace": "Shop", "name": "Requests", "every": "10s", "series": 30},
                                 host("h1", "web", 95), host("h2", "db", 20)]})
    hook = world.hook()
    world.configure(ALARMS + ROUTE + hook_receiver(hook.url))
    world.start()
    rate = world.wait_state("error-rate", "ALARM", 40)
    expect(rate["value"] == 10, f"CloudWatch evaluates the expression: {rate}")
    world.wait_state("quiet", "OK", 20)
    rows = wait_for(lambda: [row for row in world.instances("busy") if row["labels"].get("Host")], 20, "series are found")
    wait_for(lambda: {(row["labels"]["Host"], row["labels"]["Role"], row["state"]) for row in world.instances("busy")}
             == {("h1", "web", "ALARM"), ("h2", "db", "OK")}, 20, f"an instance a series: {rows}")
    wait_for(lambda: sorted(row["labels"].get("label", "") for row in world.instances("hosts")) == ["h1", "h2"], 20,
             "the label tells them apart")
    body = wait_for(lambda: [one for one in bodies(hook, status="firing") if one["groupLabels"].get("Host")], 20, "told")[0]
    expect(body["groupLabels"] == {"alertname": "busy", "Host": "h1"}, f"the message says which: {body['groupLabels']}")
    wrong = wait_for(lambda: [row for row in world.instances("wrong") if row["evaluation_error"]], 20, "the refusal")[0]
    with open(world.config_file, encoding="utf-8") as file:
        line, column = next((number, text.index('"NO_SUCH') + 1) for number, text in enumerate(file, 1) if "NO_SUCH" in text)
    words = (f"{world.config_file}:{line}:{column}: CloudWatch refused the expression `rate`: "
             "Error in expression 'rate': Unknown function NO_SUCH")
    expect(wrong["evaluation_error"].startswith(words), f"{words}\nis told, not\n{wrong['evaluation_error']}")
    for name in ("error-rate", "quiet", "busy", "hosts"):
        expect(not any(row["evaluation_error"] for row in world.instances(name)), f"{name} is not blind")
    failing = wait_for(lambda: [row for row in world.instances("TocsinSourceFailing") if row["state"] == "ALARM"], 40,
                       "the source's own alarm")[0]
    expect("blind: wrong" in failing["reason"] and "quiet" not in failing["reason"], f"it names the alarm: {failing['reason']}")
    for where, text in (("TocsinSourceFailing", failing["reason"]), ("the log", world.log()),
                        ("/v1/sources", world.get("/v1/sources")["sources"][0]["last_error"]),
                        ("show", world.ctl("show", "wrong").stdout), ("status", world.ctl("status").stdout)):
        expect(words in text, f"{where} says what, whose and where: {text[-2000:]}")
    last = world.instances("quiet")[0]["last_evaluated"]
    wait_for(lambda: world.instances("quiet")[0]["last_evaluated"] > last, 20, "the others go on")
    shown = world.ctl("show", "error-rate")
    expect("100 * errors / requests" in shown.stdout, f"what is watched: {shown.stdout}")


run(scenario)
