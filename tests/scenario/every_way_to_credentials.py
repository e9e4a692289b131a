#!/usr/bin/python3
"""Each way to keys gives calls that AWS takes; `whoami` names it; short ones are renewed in time; none shows a secret."""

import json
import re

from pieces import LOAD_ALARM, hidden_file, whoami
from world import ACCOUNT, AWS_KEY, expect, run, wait_for

WEB, CONTAINER, INSTANCE = (f"arn:aws:iam::{number}:role/{name}" for number, name in (
    ("444455556666", "web"), ("555566667777", "task"), ("666677778888", "box")))
MIDDLE, FAR = "arn:aws:iam::777788889999:role/middle", "arn:aws:iam::888899990000:role/far"
PLANTED = {"web": "planted-web-identity-7711", "authorization": "planted-authorization-8822",
           "external": "planted-external-id-9933"}

# name: (environment, ~/.aws/config, ~/.aws/credentials, the account, a part of the source)
WAYS = {
    "profile": ({"AWS_PROFILE": "p"}, "", f"[p]\naws_access_key_id={AWS_KEY[0]}\naws_secret_access_key={AWS_KEY[1]}\n",
                ACCOUNT, "profile p in "),
    "process": ({}, "[default]\ncredential_process = '{dir}/helper' \"give keys\"\n", "", ACCOUNT, "credential_process of"),
    "web identity": ({"AWS_WEB_IDENTITY_TOKEN_FILE": "{dir}/web-file", "AWS_ROLE_ARN": WEB}, "", "", "444455556666", WEB),
    "web identity of a profile": ({"AWS_PROFILE": "w"}, f"[profile w]\nweb_identity_token_file={{dir}}/web-file\nrole_arn={WEB}\n",
                                  "", "444455556666", WEB),
    "container": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:{port}/v2/credentials/x",
                   "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{dir}/authorization-file"}, "", "", "555566667777", "container"),
    "instance": ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:{port}/", "AWS_EC2_METADATA_DISABLED": None},
                 "", "", "666677778888", "the EC2 instance's role box"),
    "roles behind roles": (
        {"AWS_PROFILE": "far"},
        f"[profile far]\nrole_arn={FAR}\nsource_profile=middle\nexternal_id={PLANTED['external']}\n"
        f"[profile middle]\nrole_arn={MIDDLE}\nsource_profile=base\n",
        f"[base]\naws_access_key_id={AWS_KEY[0]}\naws_secret_access_key={AWS_KEY[1]}\n", "888899990000", FAR),
    "a role by the instance": (
        {"AWS_PROFILE": "far", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:{port}", "AWS_EC2_METADATA_DISABLED": None},
        f"[profile far]\nrole_arn={MIDDLE}\ncredential_source=Ec2InstanceMetadata\n", "", "777788889999", MIDDLE),
}


def stand(world, way):
    """Makes the world's environment that of `way`; returns the account that it leads to, and how the source is told."""
    variables, config, credentials, account, source = WAYS[way]
    fill = {"{dir}": world.dir, "{port}": str(world.sim_port)}
    world.env = {name: text for name, text in world.env.items() if not name.startswith("AWS_")}
    for name, text in {"AWS_EC2_METADATA_DISABLED": "true", **variables}.items():
        if text is not None:
            world.env[name] = re.sub(r"\{\w+\}", lambda found: fill[found[0]], text)
    hidden_file(world, ".aws/config", config.replace("{dir}", world.dir))
    hidden_file(world, ".aws/credentials", credentials)
    return account, source


def scenario(world):
    world.simulator({
        "accounts": [{"id": ACCOUNT, "keys": [{"access_key_id": AWS_KEY[0], "secret_access_key": AWS_KEY[1]}]}],
        "roles": [{"arn": WEB, "web_tokens": [PLANTED["web"]], "session": "20s"}, {"arn": MIDDLE, "session": "20s"},
                  {"arn": FAR, "external_id": PLANTED["external"], "session": "20s"}],
        "metadata": {"role": INSTANCE, "session": "20s"},
        "container": {"role": CONTAINER, "session": "20s", "token": PLANTED["authorization"]}})
    for name in ("web", "authorization"):
        world.secret(f"{name}-file", PLANTED[name])
    hidden_file(world, "helper", "#!/bin/sh\n[ \"$1\" = 'give keys' ] || exit 9\n" + "echo '" + json.dumps(
        {"Version": 1, "AccessKeyId": AWS_KEY[0], "SecretAccessKey": AWS_KEY[1]}) + "'\n", 0o700)
    world.configure(LOAD_ALARM)
    secrets = [*PLANTED.values(), AWS_KEY[1]]
    for way in WAYS:
        account, source = stand(world, way)
        done = whoami(world, "--json")
        expect(done.returncode == 0, f"{way}: whoami: {done.stdout}{done.stderr}")
        told = json.loads(done.stdout)["accounts"][0]
        expect(told["account"] == account and source in told["source"] and told["error"] is None, f"{way}: {told}")
        expect((told["expires"] is None) == (account == ACCOUNT), f"{way}: its end: {told}")
        text = whoami(world)
        expect(account in text.stdout and source in text.stdout and text.stderr == "", f"{way}: {text.stdout}{text.stderr}")
        for secret in [*secrets, AWS_KEY[0]]:
            expect(secret not in done.stdout + done.stderr + text.stdout + text.stderr, f"{way}: whoami shows a secret")
        world.sim("DELETE", "calls")
        world.start()
        wait_for(lambda: [call for call in world.calls(operation="GetMetricData", account=account) if call["status"] == 200],
                 30, f"{way}: a call that AWS takes")
        if way in ("web identity", "container", "instance", "roles behind roles"):
            renewed(world, way, account)
        world.expect_no_secret(*secrets)
        world.stop()
        world.expect_no_secret(*secrets)


def renewed(world, way, account):
    """Sessions last 20 seconds here: over 25 of them nothing fails, and no source is asked at each call."""
    began = len(world.calls(operation="GetMetricData", account=account))
    wait_for(lambda: len(world.calls(operation="GetMetricData", account=account)) >= began + 25, 60, f"{way}: 25 polls")
    calls = world.calls()
    failed = [call for call in calls if call["status"] != 200]
    expect(not failed, f"{way}: the keys ended before others came: {failed[:2]}")
    asked = [call for call in calls if call["operation"] in ("AssumeRoleWithWebIdentity", "GetKeys", "AssumeRole")]
    expect(2 <= len(asked) <= 10, f"{way}: renewed, and not at each call: {len(asked)}")


run(scenario)
