#!/usr/bin/python3
"""Two accounts by AssumeRole with external ids, two regions each: every instance its own; one denied hurts no other."""

from pieces import LOAD_ALARM
from world import expect, run, wait_for

ROLES = {"prod": ("arn:aws:iam::444455556666:role/tocsin", "id-of-prod"),
         "stage": ("arn:aws:iam::777788889999:role/deep/path/tocsin", "id-of-stage")}


def scenario(world):
    world.simulator({"roles": [{"arn": arn, "external_id": external, "session": 900} for arn, external in ROLES.values()]})
    world.configure(LOAD_ALARM, aws={
        "region": "eu-west-1", "endpoint_url": f"http://127.0.0.1:{world.sim_port}",
        "accounts": [{"name": name, "role_arn": arn, "external_id": external, "regions": ["eu-west-1", "us-east-1"]}
                     for name, (arn, external) in ROLES.items()]
        + [{"name": "lost", "role_arn": "arn:aws:iam::123456789012:role/absent", "external_id": "none"}]})
    world.push(95, account="444455556666", region="us-east-1")
    world.start()
    wait_for(lambda: {(entry["account"], entry["region"]): entry["state"] for entry in world.instances("load")}
             == {("prod", "eu-west-1"): "OK", ("prod", "us-east-1"): "ALARM", ("stage", "eu-west-1"): "OK",
                 ("stage", "us-east-1"): "OK", ("lost", "eu-west-1"): "INSUFFICIENT_DATA"}, 60, "the five instances' states")
    found = world.wait_state("TocsinSourceFailing", "ALARM", 60)
    expect(found["account"] == "lost" and "sts:AssumeRole" in found["reason"], f"it names what is missing: {found}")
    assumed = len([call for call in world.calls(operation="AssumeRole") if call["status"] == 200])
    expect(assumed == 2, f"one session a role, not {assumed}")
    world.sim("DELETE", "calls")
    world.sim("POST", "expire", {})
    wait_for(lambda: len([call for call in world.calls(operation="AssumeRole") if call["status"] == 200]) >= 2, 60,
             "ended sessions are renewed")
    wait_for(lambda: not [entry for entry in world.instances("load")
                          if entry["evaluation_error"] and entry["account"] != "lost"], 60, "and all see again")


run(scenario)
