"""Pieces of configuration that many scenarios share, so that each shows only what it is about."""

import os

# Fires when a minute's average of Test/Load passes 80. `settle` is short: the points are pushed into finished minutes.
LOAD_ALARM = """
alarms:
  - name: load
    severity: critical
    description: the load is too high
    labels: {team: shop}
    annotations: {runbook_url: https://runbooks.example.org/load}
    metric: {namespace: Test, metric_name: Load, statistic: Average, period: 60}
    comparison_operator: GreaterThanThreshold
    threshold: 80
    evaluation_periods: 1
    treat_missing_data: notBreaching
    settle: 1s
"""

QUICK_ROUTE = """
route: {receiver: people, group_wait: 0s, group_interval: 1s, repeat_interval: 4h}
"""


def hook_receiver(url, name="people"):
    return f"""
receivers:
  - name: {name}
    webhook: {{url: "{url}/hook"}}
"""


def fire(world, deadline_s=40):
    """Pushes one bad sample and waits for the alarm."""
    world.push(95)
    return world.wait_state("load", "ALARM", deadline_s)


def clear(world, deadline_s=40):
    """Pushes so many good samples into the same minutes that their average is fine again."""
    for minute in range(-5, 0):
        world.push(1, minute=minute, count=500)
    return world.wait_state("load", "OK", deadline_s)


def bodies(hook, path="/hook", status=None):
    """The decoded webhook bodies that came to `path`."""
    found = [entry.json for entry in hook.at(path)]
    return [body for body in found if status in (None, body["status"])]


def hidden_file(world, name, text, mode=0o600):
    """A file of the world's folder that may hold secrets: the check for leaks leaves it out."""
    path = os.path.join(world.dir, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", opener=lambda file, flags: os.open(file, flags, mode)) as file:
        file.write(text)
    world.secret_files.add(path)


def whoami(world, *more):
    """`tocsinctl whoami` of the world's configuration."""
    return world.run_program([world.program("tocsinctl"), "whoami", "-c", world.config_file, *more])
