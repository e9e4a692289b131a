"""Alarms that are turned over at random, and whether the last message about each says what its state is."""

import time

from pieces import bodies

ALARMS = 6


def alarms():
    return "alarms:" + "".join(f"""
  - name: a{number}
    metric: {{namespace: Test, metric_name: M{number}, statistic: Average, period: 60}}
    comparison_operator: ">"
    threshold: 50
    evaluation_periods: 1
    treat_missing_data: notBreaching
    settle: 1s
""" for number in range(ALARMS))


def toggle(world, chance, weight):
    """Turns some metrics over: ever more samples, so that the newest decide the average."""
    weight[0] *= 4
    for number in range(ALARMS):
        if chance.random() < 0.5:
            value = chance.choice((0, 100))
            at = int(time.time()) // 60 * 60
            world.sim("POST", "points", {"namespace": "Test", "name": f"M{number}", "points": [
                [at - 60 * back, value + (value - 50) * weight[0]] for back in range(0, 6)]})


def last_told(hook):
    told = {}
    for body in bodies(hook):
        told[body["groupLabels"]["alertname"]] = body["status"]
    return told


def agrees(world, hook):
    told = last_told(hook)
    wrong = [(entry["name"], entry["state"], told.get(entry["name"])) for entry in world.instances()
             if entry["name"].startswith("a") and told.get(entry["name"], "resolved") !=
             ("firing" if entry["state"] == "ALARM" else "resolved")]
    owed = [entry for entry in world.notifications() if entry["state"] in ("pending", "sending")]
    return not wrong and not owed
