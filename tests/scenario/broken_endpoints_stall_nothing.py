#!/usr/bin/python3
"""AWS endpoints that refuse, reset, hang up, burst, speak no HTTP, stall in the handshake, or show a bad certificate: each
is told in words at its source, no state changes, the loop runs on, and neither they nor an account whose calls hang keep
the endpoint that works from being asked on time."""

import time

import hostile
from certs import Authority
from figures import figure, longest_gap_s, longest_turn_s
from pieces import LOAD_ALARM, fire
from world import ACCOUNT, REGION, expect, run, wait_for

ROLE = "arn:aws:iam::444455556666:role/tocsin"
ALARMS = LOAD_ALARM + """
    accounts: [here]
  - name: far
    accounts: [there]
    metric: {namespace: Test, metric_name: Load, statistic: Average, period: 60}
    comparison_operator: ">"
    threshold: 80
    evaluation_periods: 1
  - name: faults
    accounts: [here]
    service_graph: {service: shop, statistic: fault_rate, minimum_requests: 1}
    comparison_operator: ">="
    threshold: 20
    evaluation_periods: 1
    settle: 1s
  - name: deletions
    accounts: [here]
    regions: [eu-west-1]
    events: {detection: {s: {eventName: DeleteTrail}, condition: s}, timespan: 1h}
"""
GRAPH = {"graphs": [{"services": [{"name": "shop", "type": "AWS::EC2::Instance", "root": True, "requests_per_minute": 60,
                                   "fault": 50, "latency": 0.1}], "edges": []}]}
# What the X-Ray endpoint does, over plain HTTP, and the words of its source.
PLAIN = ((hostile.hang_up, "closed the connection without an answer"),
         (hostile.gzip_bomb, "longer than 8388608 bytes"),
         (hostile.reset_midway, "the connection broke before the answer was whole"),
         (hostile.chunked_bomb, "longer than 8388608 bytes"),
         (hostile.no_http, "speaks no HTTP"),
         (hostile.endless_hints, "the answer's head is longer than"))
WAYS_S = 120  # for all of them


def ciphered(ours, stranger):
    """What CloudTrail's does, over TLS. The last takes longest: three tries of 5 s each."""
    return ((hostile.over_tls(ours.issue(days=-1)), "its certificate has expired"),
            (hostile.over_tls(stranger.issue()), "nobody whom this machine trusts"),
            (hostile.over_tls(ours.issue(), hostile.gzip_bomb), "longer than"),
            (hostile.silent, "no connection within 5 s"))


def source(world, name):
    return next(entry for entry in world.get("/v1/sources")["sources"] if entry["name"] == name and entry["region"] == REGION)


def transitions(world):
    return [(entry["name"], entry["to"]) for entry in world.get("/v1/history")["transitions"]
            if not entry["name"].startswith("Tocsin")]


def break_in_turn(world, name, server, ways):
    """A generator: breaks the endpoint in one way after the other, each as soon as the one before was told."""
    for act, words in ways:
        server.act = act
        while words not in str(source(world, name)["last_error"]):
            yield f"{name}: `{words}` is told, not `{source(world, name)['last_error']}`"
        print(f"{name}: {source(world, name)['last_error']}")


def scenario(world):
    world.simulator({"roles": [{"arn": ROLE}], "xray": GRAPH, "cloudtrail": {"delay": 0, "calls_per_second": 0}})
    ours, stranger = world.ca(), Authority(world.dir, "stranger")
    sound = hostile.over_tls(ours.issue(), hostile.relay_to(world.sim_port))
    plain, secret = hostile.Hostile(hostile.relay_to(world.sim_port)), hostile.Hostile(sound)
    world.stack.callback(plain.close)
    world.stack.callback(secret.close)
    world.env["AWS_CA_BUNDLE"] = ours.ca_file
    world.configure(ALARMS, poll={name: {"every": "1s"} for name in ("cloudwatch", "xray", "cloudtrail")}, aws={
        "region": REGION, "endpoint_url": f"http://127.0.0.1:{world.sim_port}",
        "endpoints": {"xray": plain.url(), "cloudtrail": secret.url("https")},
        "accounts": [{"name": "here"}, {"name": "there", "role_arn": ROLE}]})
    world.fault({"hang": 300}, operation="GetMetricData", account="444455556666")
    world.sim("POST", "events", [{"event": {"eventID": "00000000-0000-4000-8000-000000000001", "eventName": "DeleteTrail",
                                            "awsRegion": REGION, "eventSource": "cloudtrail.amazonaws.com"},
                                  "delay": 0, "region": REGION, "at": "-10s"}])
    plain.act = PLAIN[0][0]  # from the start: a window of the graph that was read is not asked for again
    world.start()
    fire(world)
    world.wait_state("deletions", "ALARM", 60)
    before = transitions(world)
    began = time.time()
    ways = (("xray", plain, PLAIN), ("cloudtrail", secret, ciphered(ours, stranger)))
    running = [break_in_turn(world, *way) for way in ways]
    while (waits := [text for text in (next(turn, None) for turn in running) if text]):
        expect(time.time() - began < WAYS_S, f"not within {WAYS_S} s: {waits}")
        time.sleep(0.1)
    for name, state in (("faults", "INSUFFICIENT_DATA"), ("deletions", "ALARM")):
        found = world.instances(name)[0]
        expect(found["state"] == state and found["evaluation_error"], f"it stays, and says that it is blind: {found}")
    expect(world.instances("load")[0]["evaluation_error"] is None, "who is asked elsewhere is not")
    world.wait_state("TocsinSourceFailing", "ALARM")
    gap_s = longest_gap_s(world, began, operation="GetMetricData", account=ACCOUNT)
    hung = world.calls(operation="GetMetricData", account="444455556666")
    plain.act, secret.act = hostile.relay_to(world.sim_port), sound
    wait_for(lambda: not [entry for entry in world.instances() if entry["evaluation_error"] and entry["name"] != "far"], 60,
             "all see again")
    far = world.state("far")
    expect(hung and far == "INSUFFICIENT_DATA", f"the other account hangs: {len(hung)} calls, {far}")
    world.wait_state("faults", "ALARM", 60)
    after = [entry for entry in transitions(world) if entry not in before]
    expect(after == [("faults", "ALARM")], f"no transition but the one that was due: {after}")
    expect(gap_s < 10, f"CloudWatch is asked each second, and never {gap_s:.1f} s apart")
    figure(f"a hanging account, endpoints broken in {sum(len(way[2]) for way in ways)} ways: longest turn of the loop "
           f"{longest_turn_s(world) * 1000:.0f} ms, the sound one asked each 1 s at most {gap_s:.1f} s apart, "
           "no false transition")


run(scenario)
