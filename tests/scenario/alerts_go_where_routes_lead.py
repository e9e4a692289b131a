#!/usr/bin/python3
"""Nested routes and `continue`; what a mute interval or an inhibition holds back is told when that is over."""

import datetime
import time

from pieces import bodies
from world import expect, run, wait_for

ALARM = """
  - name: {name}
    severity: {severity}
    labels: {{team: {team}}}
    metric: {{namespace: Test, metric_name: Load, statistic: Average, period: 60}}
    comparison_operator: ">"
    threshold: {threshold}
    evaluation_periods: 1
    treat_missing_data: notBreaching
    settle: 1s
"""
ALARMS = "alarms:" + "".join(ALARM.format(name=name, severity=severity, team=team, threshold=threshold)
                             for name, severity, team, threshold in (("load", "critical", "shop", 80),
                                                                     ("follower", "warning", "shop", 10),
                                                                     ("late", "info", "till", 10)))
ROUTES = """
route:
  receiver: people
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
  routes:
    - matchers: ['team=~"sh.p"']
      routes:
        - {matchers: [severity=critical], receiver: pager, continue: true}
        - {matchers: [alertname!=follower], receiver: chat}
    - {matchers: [severity=info], receiver: night, mute_time_intervals: [now]}
time_intervals:
  - name: now
    time_intervals: [{times: [{start_time: "START", end_time: "END"}], location: ZONE}]
inhibit_rules:
  - {source_matchers: [alertname=load], target_matchers: [alertname=follower], equal: [team, region]}
"""


def muted_now():
    """An interval that holds and ends at one of the next minutes, in a zone where it is not midnight."""
    now = datetime.datetime.now(datetime.timezone.utc)
    zone = "UTC" if 1 <= now.hour < 22 else "Asia/Tokyo"
    local = now if zone == "UTC" else now + datetime.timedelta(hours=9)
    end = local.replace(second=0, microsecond=0) + datetime.timedelta(minutes=2 if now.second > 20 else 1)
    start = local - datetime.timedelta(hours=1)
    text = ROUTES.replace("START", f"{start:%H:%M}").replace("END", f"{end:%H:%M}").replace("ZONE", zone)
    return text, time.time() + (end - local).total_seconds()


def names(hook, path):
    return [body["groupLabels"]["alertname"] for body in bodies(hook, path, "firing")]


def scenario(world):
    world.simulator({})
    hook = world.hook()
    receivers = "receivers:\n" + "".join(
        f'  - {{name: {name}, webhook: {{url: "{hook.url}/{name}"}}}}\n'
        for name in ("people", "pager", "chat", "night"))
    text, ends = muted_now()
    world.configure(ALARMS + text + receivers)
    world.start()
    world.push(95)
    for name in ("load", "follower", "late"):
        world.wait_state(name, "ALARM")
    wait_for(lambda: names(hook, "/pager") == ["load"] and names(hook, "/chat") == ["load"], 20, "both hear of it")
    key = bodies(hook, "/pager")[0]["groupKey"]
    expect(key == '{}/{team=~"sh.p"}/{severity="critical"}:{alertname="load"}', f"the group's key is the route's: {key}")
    load = world.instances("load")[0]["fingerprint"]
    expect(world.instances("follower")[0]["inhibited_by"] == [load], "it says what holds it")
    expect(world.instances("load")[0]["inhibited_by"] == [], "nothing holds the other")
    ways = world.get("/v1/routes?label=team=shop&label=severity=critical&label=alertname=load")["ways"]
    expect([way["receiver"] for way in ways] == ["pager", "chat"], f"routes says where it goes: {ways}")
    shown = world.ctl("routes", "test", "severity=info", "alertname=late").stdout
    expect(shown.startswith("night  {}/{severity=") and "held: the time interval now, until" in shown, f"and why not: {shown}")
    if time.time() < ends - 5:
        world.kill()
        world.start()
        wait_for(lambda: world.state("late") == "ALARM", 20, "a crash forgets nothing")
    time.sleep(2.5)
    if time.time() < ends:
        expect(not bodies(hook, "/night") and not bodies(hook, "/people"), "what is held is not told")
    for minute in range(-6, 0):
        world.push(30, minute=minute, count=500)
    world.wait_state("load", "OK")
    expect(world.state("follower") == "ALARM", "the other fires on")
    wait_for(lambda: names(hook, "/people") == ["follower"], 20, "it is told when nothing inhibits it any more")
    wait_for(lambda: names(hook, "/night") == ["late"], ends - time.time() + 20, "it is told when the interval ends")
    expect(time.time() >= ends, "and not before")
    expect(names(hook, "/pager") == ["load"] and names(hook, "/chat") == ["load"], "nobody hears of anything else")


run(scenario)
