#!/usr/bin/python3
"""Credentials that cannot be had: told in words at the source's alarm and by `whoami`, nothing hangs, no secret shows."""

import contextlib
import os
import time

from pieces import LOAD_ALARM, hidden_file, whoami
from world import AWS_KEY, expect, run, wait_for

SECRET = "planted-in-rubbish-4455"
ROLE = "arn:aws:iam::444455556666:role/web"
IMDS = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:{port}"}

# what: (environment, ~/.aws/config, fault (what it does, where), a part of the words)
BROKEN = {
    "no answer to PUT": (IMDS, "", ({"hang": 5}, {"operation": "PutToken"}), "Hop limit?"),
    "metadata is off": (IMDS, "", ({"status": 403}, {"operation": "PutToken"}), "status 403 (the metadata service is turned off"),
    "the token is refused": (IMDS, "", ({"status": 401}, {"operation": "GetRole"}), "status 401 to a new token, twice"),
    "no role": (IMDS, "", ({"status": 404}, {"operation": "GetRole"}), "the instance has no role"),
    "metadata hangs later": (IMDS, "", ({"hang": 5}, {"operation": "GetKeys"}), "the EC2 instance's role"),
    "metadata says too much": (IMDS, "", ({"huge": 1 << 20}, {"operation": "GetKeys"}), "longer than 65536 bytes"),
    "the container refuses": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:{port}/v1/credentials",
                               "AWS_CONTAINER_AUTHORIZATION_TOKEN": SECRET}, "", None, "status 401 (is the authorization token"),
    "another's container": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/"}, "", None, "not of `192.0.2.1`"),
    "the web token is another's": ({"AWS_WEB_IDENTITY_TOKEN_FILE": "{dir}/web-file", "AWS_ROLE_ARN": ROLE}, "", None,
                                   "InvalidIdentityToken"),
    "rubbish": ({}, "credential_process = echo " + SECRET, None, "its output is no JSON object"),
    "exit 1": ({}, f"credential_process = sh -c 'echo {SECRET}; echo sign in first >&2; exit 1'", None,
               "exit status 1: sign in first"),
    "hangs": ({}, "credential_process = sh -c 'sleep 601 & sleep 601'", None, "did not end within 30 s and was killed"),
    "a megabyte": ({}, "credential_process = head -c 1048576 /dev/zero", None, "more than 65536 bytes"),
    "not there": ({}, "credential_process = /nonexistent/helper", None, "no such file"),
    "a loop": ({}, f"role_arn={ROLE}\nsource_profile=b\n[profile b]\nrole_arn={ROLE}\nsource_profile=default", None,
               "/.aws/config:6:1: source_profile goes round in a circle: default -> b -> default"),
    "MFA": ({}, f"role_arn={ROLE}\nsource_profile=default\nmfa_serial=x", None, "needs MFA"),
}


def stand(world, variables, config):
    world.env = {name: text for name, text in world.env.items() if not name.startswith("AWS_")}
    if variables is not IMDS:
        world.env["AWS_EC2_METADATA_DISABLED"] = "true"
    world.env |= {name: text.replace("{dir}", world.dir).replace("{port}", str(world.sim_port))
                  for name, text in variables.items()}
    hidden_file(world, ".aws/config", f"[default]\n{config}\n")


def scenario(world):
    world.simulator({"roles": [{"arn": ROLE, "web_tokens": ["the right one"]}],
                     "metadata": {"role": ROLE}, "container": {"role": ROLE, "token": "right"}})
    world.secret("web-file", SECRET)
    world.configure(LOAD_ALARM)
    for what, (variables, config, fault, words) in BROKEN.items():
        stand(world, variables, config)
        world.heal()
        if fault:
            world.fault(fault[0], **fault[1])
        began = time.monotonic()
        done = whoami(world)
        expect(done.returncode == 1 and words in done.stderr, f"{what}: {done.returncode} {done.stdout}{done.stderr}")
        expect(SECRET not in done.stdout + done.stderr, f"{what}: a secret in {done.stderr}")
        limit = 45 if what == "hangs" else 15
        expect(time.monotonic() - began < limit, f"{what}: told within {limit} s")
    expect(not asleep("601"), "the helper that hung is gone, and its child")
    told_by_the_check(world)
    told_by_the_daemon(world)
    hanging_process_is_killed(world)


def told_by_the_check(world):
    """What can be seen in the AWS files without asking anybody has its place there; they may yet be mended."""
    config, _, words = BROKEN["a loop"][1:]
    stand(world, {}, config)
    done = world.check()
    place, what = words.split(": ", 1)
    expect(done.returncode == 0 and f"{world.dir}{place}: warning: {what} (" in done.stderr, f"a loop: {done.stderr}")
    world.env |= {"AWS_ACCESS_KEY_ID": AWS_KEY[0], "AWS_SECRET_ACCESS_KEY": AWS_KEY[1]}
    expect(not world.check().stderr, "keys in the environment: the profile is not asked")


def told_by_the_daemon(world):
    stand(world, IMDS, "")
    world.heal()
    fault = world.fault({"hang": 5}, operation="PutToken")
    world.sim("DELETE", "calls")
    world.start()
    found = world.wait_state("TocsinSourceFailing", "ALARM", 60)
    expect("Hop limit?" in found["reason"], f"its reason: {found}")
    expect(world.get("/v1/status"), "and the daemon answers")
    expect(not world.calls(operation="GetRole") and not world.calls(operation="GetKeys"), "it asks nothing without a token")
    world.sim("DELETE", f"faults?id={fault}")
    wait_for(lambda: [call for call in world.calls(operation="GetMetricData") if call["status"] == 200], 100,
             "asked again within the minute, and all is well")
    world.stop()
    world.expect_no_secret(SECRET, AWS_KEY[1])


def hanging_process_is_killed(world):
    """A helper and its child that hang go with the daemon, and hold up neither its start nor its stop."""
    stand(world, {}, f"credential_process = sh -c 'echo $$ > {world.dir}/pid; sleep 600 & sleep 600'")
    world.start()
    wait_for(lambda: os.path.exists(os.path.join(world.dir, "pid")), 30, "the helper runs")
    with open(os.path.join(world.dir, "pid"), encoding="ascii") as file:
        group = int(file.read())
    expect(world.get("/v1/status"), "the daemon answers while it waits")
    world.stop()
    wait_for(lambda: not alive(group), 5, "its group is gone")


def asleep(seconds):
    """Is there a process `sleep SECONDS`?"""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{entry}/cmdline", "rb") as file:
            if file.read().split(b"\0")[:2] == [b"sleep", seconds.encode()]:
                return True
    return False


def alive(group):
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            return True
    return False


run(scenario)
