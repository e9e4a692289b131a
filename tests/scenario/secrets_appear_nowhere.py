#!/usr/bin/python3
"""Secrets of each kind are planted; none appears in a log at debug, an answer, the state, or a child's environment."""

import os

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire
from world import AWS_KEY, expect, run, wait_for

PLANTED = {
    "mail": "planted-mail-password-1177", "hmac": "planted-hmac-secret-2288", "bearer": "planted-bearer-token-3399",
    "basic": "planted-basic-password-4411", "url": "planted-url-path-5522", "external": "planted-external-id-6633",
}
ROLE = "arn:aws:iam::444455556666:role/tocsin"


def scenario(world):
    world.simulator({"roles": [{"arn": ROLE, "external_id": PLANTED["external"]}]})
    hook, mail = world.hook(), world.mail(login=("u", "another"))
    for name, value in PLANTED.items():
        world.secret(f"{name}-file", f"{hook.url}/{value}" if name == "url" else value)
    world.configure(LOAD_ALARM + QUICK_ROUTE + f"""
receivers:
  - name: people
    email: {{to: [a@example.org], from: t@example.org, smarthost: "{mail.address}", require_tls: false, username: u, password_file: mail-file, auth: plain}}
    webhook:
      - {{url: "{hook.url}/hook", hmac_secret_file: hmac-file, bearer_token_file: bearer-file}}
      - {{url: "{hook.url}/refuse", basic_auth: {{username: u, password_file: basic-file}}}}
      - {{url_file: url-file}}
    exec: {{command: [/bin/sh, -c, "env > {world.dir}/environment; cat > /dev/null"]}}
""", aws={"region": "eu-west-1", "endpoint_url": f"http://127.0.0.1:{world.sim_port}", "accounts": [
        {"name": "prod", "role_arn": ROLE, "external_id_file": "external-file"}]})
    hook.answer("/refuse", status=403, body=f"you said {PLANTED['basic']}")
    hook.answer(f"/{PLANTED['url']}", status=500)
    world.start()
    fire(world)
    wait_for(lambda: bodies(hook), 20, "the webhook with a bearer token")
    wait_for(lambda: hook.at("/refuse") and hook.at(f"/{PLANTED['url']}"), 20, "the webhooks that refuse")
    wait_for(lambda: mail.logins, 30, "the refused login")
    wait_for(lambda: os.path.exists(os.path.join(world.dir, "environment")), 20, "the child's environment")
    expect(hook.at("/hook")[0].headers["Authorization"] == f"Bearer {PLANTED['bearer']}", "the secret itself works")
    sessions = [call for call in world.calls(operation="AssumeRole") if call["status"] == 200]
    expect(sessions, "a role was assumed")
    world.fault({"status": 500}, operation="GetMetricData", count=3)
    world.ctl("test-receiver", "people")
    world.reload()
    # What a receiver echoes back is its own: the basic password came with its answer, and must not be kept either.
    world.expect_no_secret(*PLANTED.values(), AWS_KEY[1])
    world.stop()
    world.expect_no_secret(*PLANTED.values(), AWS_KEY[1])
    print(f"figure: {len(PLANTED) + 1} planted secrets: in no log at debug, answer, state file, command line or child's environment")


run(scenario)
