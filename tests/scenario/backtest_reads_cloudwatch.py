#!/usr/bin/python3
"""A backtest over CloudWatch itself: the price first, agreed to where it is more than a cent, then what would have been;
metrics, percentiles, expressions and series that a query finds; what CloudWatch refuses is told."""

import datetime
import json
import time

from world import expect, run

RULE = "comparison_operator: '>', threshold: 50, evaluation_periods: 1"
METRIC = "namespace: Shop, metric_name: Load"
ALARMS = f"""
alarms:
  - {{name: plain, metric: {{{METRIC}, statistic: Maximum}}, {RULE}}}
  - {{name: folded, metric: {{{METRIC}, statistic: Average, period: 300}}, {RULE}}}
  - {{name: high, metric: {{{METRIC}, statistic: p99, period: 300}}, {RULE}}}
  - {{name: math, metrics: [{{id: a, {METRIC}, statistic: Sum}}, {{id: b, expression: a * 0, return_data: true}}], {RULE}}}
  - {{name: found, metrics: [{{id: q, expression: 'SELECT MAX(CPU) FROM SCHEMA("Shop", Host) GROUP BY Host'}}], {RULE}}}
  - {{name: wrong, metrics: [{{id: q, expression: 'NO_SUCH(1)'}}], {RULE}}}
"""


def text(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def scenario(world):
    now = int(time.time()) // 300 * 300
    begin = now - 7200
    host = {"namespace": "Shop", "name": "CPU", "every": "10s"}
    world.simulator({"start": text(begin), "metrics": [
        {"namespace": "Shop", "name": "Load", "every": "10s", "first": 0,
         "series": [10, {"step": {"at": "30m", "for": "10m", "by": 90}}]},
        {**host, "dimensions": {"Host": "a"}, "series": 90}, {**host, "dimensions": {"Host": "b"}, "series": 1}]})
    world.configure(ALARMS)

    def backtest(alarm, *more, start=begin, end=now - 300):
        return world.ctl("--json", "backtest", "-c", world.config_file, "--alarm", alarm, "--from", text(start), "--to", text(end), *more)

    def states(alarm):
        done = backtest(alarm)
        expect(done.returncode == 0 and "calls of GetMetricData, about 0.0000" in done.stderr, f"{alarm}: {done.stderr}")
        answer = json.loads(done.stdout)
        return [(row["to"], row["time"][:19]) for row in answer["transitions"]], answer["final"]

    def at(minutes):
        return text(begin + minutes * 60)[:19]

    expect(states("plain") == ([("OK", at(1)), ("ALARM", at(31)), ("OK", at(41))], {"plain": "OK"}), f"plain: {states('plain')}")
    folded, _ = states("folded")
    expect([state for state, _ in folded] == ["OK", "ALARM", "OK"] and at(31) <= folded[1][1] <= at(34), f"each minute: {folded}")
    expect(states("high")[0] == [("OK", at(5)), ("ALARM", at(35)), ("OK", at(45))], f"each period: {states('high')}")
    expect([state for state, _ in states("math")[0]] == ["OK"], f"an expression: {states('math')}")
    found = states("found")
    expect(sorted(state for state, _ in found[0]) == ["ALARM", "OK"] and found[1] == {"found": "ALARM"}, f"series: {found}")
    shown = world.ctl("backtest", "-c", world.config_file, "--alarm", "found", "--from", text(begin), "--to", text(now - 300))
    expect("found [default eu-west-1 Host=a]: ALARM at the end" in shown.stdout, f"a line an instance: {shown.stdout}")
    refused = backtest("wrong")
    expect(refused.returncode == 1 and "Unknown function NO_SUCH" in refused.stderr, f"its words: {refused.stderr}")
    csv = world.ctl("backtest", "-c", world.config_file, "--alarm", "math", "--csv", "/dev/null")
    expect(csv.returncode == 1, f"an expression needs CloudWatch: {csv.stderr}")
    late = backtest("found", start=now - 10 * 3600)
    expect(late.returncode == 1 and "newest 3h" in late.stderr, f"what is forgotten: {late.stderr}")
    old = backtest("plain", start=now - 30 * 86400)
    expect(old.returncode == 1 and "datapoints of 300 s" in old.stderr, f"what is kept coarser: {old.stderr}")
    calls = len(world.calls(operation="GetMetricData"))
    world.configure("alarms:\n" + "".join(f"  - {{name: a{i}, metric: {{{METRIC}, dimensions: {{D: x{i}}}, statistic: Sum}}, {RULE}}}\n"
                                          for i in range(1001)))
    dear = ("backtest", "-c", world.config_file, "--from", text(now - 600), "--to", text(now))
    done = world.ctl(*dear)
    expect(done.returncode == 1 and "about 0.0100 USD" in done.stderr and "say --yes" in done.stderr, f"nobody agreed: {done.stderr}")
    expect(len(world.calls(operation="GetMetricData")) == calls, "nothing was read")


run(scenario)
