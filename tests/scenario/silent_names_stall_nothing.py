#!/usr/bin/python3
"""Names that nobody answers for, that do not exist, and name servers that fail: each is told in words, the loop runs on,
who has an address or a good name is told past them, and while every name server is silent the last good answer serves."""

import time

import names
from catchers import free_port
from figures import figure, longest_gap_s, longest_turn_s
from pieces import LOAD_ALARM, fire
from world import REGION, expect, run, wait_for

OTHER = """
  - name: other
    metric: {namespace: Test, metric_name: Other, statistic: Average, period: 60}
    comparison_operator: ">"
    threshold: 80
    evaluation_periods: 1
    treat_missing_data: notBreaching
    settle: 1s
"""
ASKED_BY_NAME = """
  - name: faults
    service_graph: {service: shop, statistic: fault_rate}
    comparison_operator: ">="
    threshold: 20
    evaluation_periods: 1
  - name: deletions
    regions: [eu-west-1]
    events: {detection: {s: {eventName: DeleteTrail}, condition: s}}
"""
SILENT = 12  # more than are looked up at once
SILENCE = ("the name server did not answer", "no answer to the name lookup within 5 s")  # asked, or still waiting
AT_ONCE = 8
KEPT_S = 11  # an answer is kept for 10
NAMED_S = 40  # the good name, behind the silent ones


def configure(world, hook):
    kinds = {f"silent-{number}": SILENCE for number in range(SILENT)}
    kinds |= {"nx": ("the name does not exist",), "fail": ("the name server did not answer",), "refused": ("the name",)}
    receivers = "".join(f'  - name: {name}\n    webhook: {{url: "http://{name}.test:{free_port()}/x"}}\n' for name in kinds)
    routes = "".join(f"    - {{receiver: {name}, matchers: ['alertname=\"load\"'], continue: true}}\n" for name in kinds)
    world.configure(LOAD_ALARM + OTHER + ASKED_BY_NAME + f"""
receivers:
{receivers}  - name: named
    webhook: {{url: "http://good.test:{hook.port}/named"}}
  - name: later
    webhook: {{url: "http://another.test:{hook.port}/named"}}
  - name: people
    webhook: {{url: "{hook.url}/hook"}}
route:
  receiver: people
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
  routes:
{routes}    - {{receiver: named, matchers: ['alertname="other"'], continue: true}}
    - {{receiver: people, matchers: ['alertname="other"']}}
""", poll={name: {"every": "1s"} for name in ("cloudwatch", "xray", "cloudtrail")}, aws={
        "region": REGION, "endpoint_url": f"http://127.0.0.1:{world.sim_port}",
        "endpoints": {"xray": "http://silent-xray.test", "cloudtrail": "http://nx-cloudtrail.test"}})
    return kinds


def told(hook, path, status):
    return [entry for entry in hook.at(path) if entry.json["status"] == status
            and entry.json["alerts"][0]["labels"]["alertname"] == "other"]


def test_receiver(world, name):
    """How long a test message takes."""
    began = time.monotonic()
    done = world.ctl("test-receiver", name)
    expect(done.returncode == 0 and "200" in done.stdout, f"{name}: {done}")
    return time.monotonic() - began


def scenario(world):
    server = names.NameServer()
    world.stack.callback(server.close)
    before = names.wrapper(world, server)
    world.simulator({})
    hook = world.hook()
    kinds = configure(world, hook)
    world.start(wrapper=before)
    world.wait_state("load", "OK")
    fire(world)
    wait_for(lambda: len([name for name in server.asked if name.startswith("silent")]) >= AT_ONCE, 20, "all lookups are taken")
    began = time.time()
    world.push(95, name="Other")
    at_once = wait_for(lambda: told(hook, "/hook", "firing"), 20, "who has an address is told")[0].time - began
    named = wait_for(lambda: told(hook, "/named", "firing"), NAMED_S, "who has a good name is told")[0].time - began
    for name, words in kinds.items():
        wait_for(lambda: [entry for entry in world.notifications() if entry["receiver"] == name
                          and [word for word in words if word in str(entry["last_error"])]], 60,
                 f"{name}: {words}: {[entry['last_error'] for entry in world.notifications() if entry['receiver'] == name]}")
    for name, words in (("xray", SILENCE), ("cloudtrail", ("the name does not exist",))):
        wait_for(lambda: [entry for entry in world.get("/v1/sources")["sources"] if entry["name"] == name
                          and [word for word in words if word in str(entry["last_error"])]], 60, f"{name}'s source: {words}")
    later = test_receiver(world, "later")
    server.is_silent = True
    time.sleep(KEPT_S)
    asked = dict(server.asked)
    stale = test_receiver(world, "named")
    expect(server.asked["good.test"] > asked["good.test"], "it was asked for again")
    expect("no name server answers" in world.log() and "host=good.test" in world.log(), "and that is told")
    gap_s, turn_s = longest_gap_s(world, began, operation="GetMetricData"), longest_turn_s(world)
    expect(gap_s < 10, f"polls each second, and never {gap_s:.1f} s apart")
    stopping = time.monotonic()
    world.stop()
    stop_s = time.monotonic() - stopping
    figure(f"{SILENT} silent names, and some that fail: longest turn of the loop {turn_s * 1000:.0f} ms, polls each 1 s at most "
           f"{gap_s:.1f} s apart; an address told in {at_once:.1f} s, a good name in {named:.1f} s at first and {later:.1f} s "
           f"then, in {stale:.1f} s while every server is silent; stopped in {stop_s:.1f} s")



run(scenario)
