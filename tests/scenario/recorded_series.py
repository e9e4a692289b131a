#!/usr/bin/python3
"""Recorded CloudWatch series through the simulator: a known anomaly fires, a quiet stretch does not; backtest runs over all."""

import csv
import json
import os

from world import HERE, Skip, expect, run, wait_for

DATA = os.environ.get("TOCSIN_DATA", os.path.join(HERE, "..", "..", "..", "shared", "data", "cloudwatch"))
LATENCY = "ec2_request_latency_system_failure.csv"
PERIOD_S = 300
SHARE = 0.98  # thresholds lie where this share of a series is below


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [(row["timestamp"], float(row["value"])) for row in csv.DictReader(file)]


def threshold_of(values):
    return sorted(values)[int(len(values) * SHARE)]


def alarm(name, metric, threshold):
    return f"""
  - name: {name}
    metric: {{namespace: Recorded, metric_name: {metric}, statistic: Average, period: {PERIOD_S}}}
    comparison_operator: ">"
    threshold: {threshold}
    evaluation_periods: 3
    datapoints_to_alarm: 2
    settle: 1s
"""


def live(world, folder):
    """The newest window of the simulated past is the anomaly in one metric, and an hour before it in the other."""
    series = rows(os.path.join(folder, LATENCY))
    peak = max(range(len(series)), key=lambda number: sum(value for _, value in series[number:number + 4]))
    quiet = next(number for number in range(100, len(series)) if all(value < 60 for _, value in series[number - 12:number + 12]))
    world.simulator({"metrics": [
        {"namespace": "Recorded", "name": name, "csv": {"file": os.path.join(folder, LATENCY), "begin": series[number][0]}}
        for name, number in (("Anomaly", peak + 4), ("Quiet", quiet))]})
    limit = threshold_of([value for _, value in series])
    world.configure("alarms:" + alarm("anomaly", "Anomaly", limit) + alarm("quiet", "Quiet", limit))
    world.start()
    world.wait_state("anomaly", "ALARM")
    world.wait_state("quiet", "OK")
    found = world.get("/v1/alarms/anomaly")["instances"][0]
    expect([value for _, value in found["datapoints"] if value is not None and value > limit], f"its datapoints: {found}")
    shown = world.ctl("show", "anomaly")
    expect(shown.returncode == 0 and "ALARM" in shown.stdout, f"tocsinctl show: {shown}")


def backtests(world, folder):
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        series = rows(path)
        config = os.path.join(world.dir, "backtest.yaml")
        world.configure("alarms:" + alarm("recorded", "Any", threshold_of([value for _, value in series])), path=config)
        done = world.ctl("backtest", "-c", config, "--csv", path, "--json", timeout=120)
        expect(done.returncode == 0, f"backtest over {name}: {done}")
        answer = json.loads(done.stdout)
        expect(answer["transitions"] and answer["final"]["recorded"] in ("OK", "ALARM", "INSUFFICIENT_DATA"),
               f"backtest over {name}: {answer}")
        text = world.ctl("backtest", "-c", config, "--csv", path, timeout=120)
        expect(text.returncode == 0 and text.stdout.count("->") >= len(answer["transitions"]), f"the same for people: {text}")


def scenario(world):
    folder = os.path.join(DATA, "nab")
    if not os.path.isdir(folder):
        raise Skip(f"the recorded series are not at {folder} (TOCSIN_DATA names their folder)")
    live(world, folder)
    backtests(world, folder)
    wait_for(lambda: world.api("/readyz")[0] == 200, 5, "still ready")


run(scenario)
