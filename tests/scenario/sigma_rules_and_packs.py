#!/usr/bin/python3
"""A folder of Sigma rule files and both packs over recorded events of a real attack: every alarm that the same rules
meet without a daemon fires, under its rule's title, severity and annotations, and none else. A rule file that changed
is read at a reload; one that is broken refuses it, names file and line, and changes nothing."""

import json
import os

from pieces import QUICK_ROUTE, bodies, hook_receiver
from world import HERE, Skip, expect, run, wait_for

EVENTS = os.path.join(HERE, "..", "..", "..", "shared", "data", "cloudtrail", "invictus-2023-07-10.jsonl")
PACKS = os.path.join(HERE, "..", "..", "conf", "packs")
REGION = "us-east-1"
RULE = """
title: Parameters decrypted
id: 0e4164da-94bc-450d-a7be-a4b176179f1f
description: A parameter was read in the clear
status: test
references: [https://example.org/ssm]
tags: [attack.credential-access, attack.t1552]
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventSource: ssm.amazonaws.com, eventName|startswith: GetParameter, requestParameters.withDecryption: true}
  condition: selection
falsepositives: [deployments]
fields: [requestParameters.name]
level: LEVEL
"""
OTHERS = """
title: Of another product
logsource: {product: windows, service: security}
detection: {s: {EventID: 4624}, condition: s}
"""
CONFIG = """
aws: {region: us-east-1, endpoint_url: "http://127.0.0.1:PORT"}
poll: {cloudtrail: {every: 1s, lookback: 1d}}
sigma: {rules: [rules], timespan: 1h}
packs: [cis-cloudtrail, cloudtrail-extra]
"""


def write(world, name, text):
    os.makedirs(os.path.join(world.dir, "rules"), exist_ok=True)
    path = os.path.join(world.dir, "rules", name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def met_without_daemon(world, *rules):
    """Titles of the rules that the recorded events meet, one event each."""
    done = world.ctl("--json", "sigma", "test", *rules, "--events", EVENTS)
    return {json.loads(line)["rule"] for line in done.stdout.splitlines()}


def fired(world):
    return {entry["name"] for entry in world.instances() if entry["state"] == "ALARM" and entry["source"] == "cloudtrail"}


def scenario(world):
    if not os.path.exists(EVENTS):
        raise Skip(f"{EVENTS} is not there")
    rule = write(world, "own.yml", RULE.replace("LEVEL", "high"))
    write(world, "windows.yml", OTHERS)
    world.simulator({"cloudtrail": {"delay": 0, "calls_per_second": 0, "events": [{"file": EVENTS, "shift": "now"}]}})
    hook = world.hook()
    config = CONFIG.replace("PORT", str(world.sim_port)) + QUICK_ROUTE + hook_receiver(hook.url)
    world.configure(config)
    expect(world.check().returncode == 0, world.check().stderr)
    want = met_without_daemon(world, rule, os.path.join(PACKS, "cis-cloudtrail"), os.path.join(PACKS, "cloudtrail-extra"))
    expect(len(want) > 5 and "Parameters decrypted" in want, f"the events meet rules: {want}")
    world.start()
    wait_for(lambda: fired(world) >= want, 120, f"all of {sorted(want)} fire")
    expect(not any("another product" in entry["name"] for entry in world.instances()), "rules of other products are none")
    alarm = world.instances("Parameters decrypted")[0]
    expect(alarm["severity"] == "error" and alarm["region"] == REGION, f"high is error: {alarm}")
    words = alarm["annotations"]
    expect(words["sigma_id"].startswith("0e4164da") and words["tags"] == "attack.credential-access, attack.t1552"
           and words["references"] == "https://example.org/ssm" and words["falsepositives"] == "deployments"
           and words["description"] == "A parameter was read in the clear", f"the rule's own words: {words}")
    expect(words["fields"].startswith("requestParameters.name: "), f"the fields that it wants shown: {words}")
    told = wait_for(lambda: {alert["labels"]["alertname"] for body in bodies(hook) for alert in body["alerts"]} >= want,
                    60, "people are told of each")
    expect(told, "told")
    matched = world.get("/v1/cloudtrail/events?limit=10000")["events"]
    expect({title for event in matched for title in event["rules"]} >= {"Parameters decrypted"}, "events say what they met")

    write(world, "own.yml", RULE.replace("LEVEL", "low"))
    expect(world.reload()["ok"], "the changed file is taken")
    wait_for(lambda: world.instances("Parameters decrypted")[0]["severity"] == "info", 20, "with its new level")
    expect(world.instances("Parameters decrypted")[0]["state"] == "ALARM", "and with its state")
    write(world, "own.yml", RULE.replace("LEVEL", "low").replace("|startswith", "|beginswith"))
    result = world.reload()
    expect(not result["ok"] and "own.yml:10:" in result["error"] and "beginswith" in result["error"],
           f"file and line: {result}")
    expect(world.state("Parameters decrypted") == "ALARM", "nothing changed")
    wait_for(lambda: world.state("TocsinReloadFailed") == "ALARM", 20, "and people are told")
    os.remove(rule)
    expect(world.reload()["ok"], "a file that is gone is no error")
    over = wait_for(lambda: [alert for body in bodies(hook, status="resolved") for alert in body["alerts"]
                             if alert["labels"]["alertname"] == "Parameters decrypted"], 30, "its alarm ends")[0]
    expect("removed from the configuration" in over["annotations"]["reason"], f"and says why: {over}")


run(scenario)
