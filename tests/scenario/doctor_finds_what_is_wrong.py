#!/usr/bin/python3
"""`tocsinctl doctor` tries once what the daemon needs: in a healthy world nothing fails, in a broken one each fault has
its own line with what to do; nobody gets a message, no secret shows, and it ends in time."""

import json
import os
import time

from pieces import hidden_file
from world import ACCOUNT, AWS_KEY, expect, run

PASSWORD, HOOK_PATH, EXTERNAL = "planted-password-5511", "planted-hook-address-6622", "planted-external-id-7733"
ROLE, NOBODY = (f"arn:aws:iam::{number}:role/watch" for number in ("444455556666", "555566667777"))
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:oncall"
RULE = 'comparison_operator: ">", threshold: 1, evaluation_periods: 1'
CONFIG = """
aws:
  endpoint_url: http://127.0.0.1:{port}
  region: eu-west-1
  accounts:
    - {{name: base}}
    - {{name: prod, role_arn: "{role}", external_id_file: external, regions: [eu-west-1, us-east-1]}}
alarms:
  - {{name: load, metric: {{namespace: Test, metric_name: Load, statistic: Sum}}, {rule}}}
  - {{name: faults, accounts: [base], service_graph: {{service: x, statistic: fault_rate}}, {rule}}}
  - {{name: slow, accounts: [base], traces: {{filter: x}}, {rule}}}
  - {{name: root, accounts: [base], events: {{detection: {{selection: {{eventName: ConsoleLogin}}, condition: selection}}}}}}
receivers:
  - name: people
    email: {{to: [a@example.org], from: t@example.org, smarthost: "{mail}", username: u, password_file: password,
            require_tls: false}}
    webhook:
      - {{url_file: hook}}
      - {{url: "{other}", ca_file: "{ca}"}}
    sns: {{topic_arn: "{topic}"}}
    exec: {{command: ["{program}"]}}
route: {{receiver: people}}
heartbeat: {{url: "{heartbeat}"}}
"""


def doctor(world, *more):
    return world.run_program([world.program("tocsinctl"), "--socket", world.socket, "doctor", "-c", world.config_file, *more])


def lines(text, word):
    return [line[5:] for line in text.splitlines() if line.startswith(word)]


def has(findings, *words):
    expect(any(all(word in line for word in words) for line in findings), f"{words} in one of {findings}")


def scenario(world):
    world.simulator({
        "accounts": [{"id": ACCOUNT, "keys": [{"access_key_id": AWS_KEY[0], "secret_access_key": AWS_KEY[1]}]}],
        "roles": [{"arn": ROLE, "external_id": EXTERNAL}], "topics": [{"arn": TOPIC}]})
    hook, mail = world.hook(), world.mail(login=("u", PASSWORD))
    secure = world.hook(certificate=world.ca().issue("localhost"))
    for name, value in (("password", PASSWORD), ("hook", f"{hook.url}/{HOOK_PATH}"), ("external", EXTERNAL)):
        world.secret(name, value)
    facts = {"port": world.sim_port, "role": ROLE, "rule": RULE, "mail": mail.address, "ca": world.ca().ca_file,
             "other": secure.url.replace("127.0.0.1", "localhost"), "topic": TOPIC, "program": "/bin/true",
             "heartbeat": f"{hook.url}/beat"}
    world.configure(CONFIG.format(**facts))
    world.start()
    hook.hooks.clear()
    healthy(world)
    expect(not [one for one in hook.hooks if "beat" not in one.path] and not secure.hooks and not mail.mails,
           "nobody got a message")
    world.stop()
    broken(world, hook, facts)
    world.expect_no_secret(PASSWORD, HOOK_PATH, EXTERNAL)


def healthy(world):
    done = doctor(world)
    good = lines(done.stdout, "ok  ")
    expect(done.returncode == 0 and not lines(done.stdout, "FAIL"), f"{done.stdout}{done.stderr}")
    has(good, "the state's folder", "can be written")
    has(good, "MB free")
    has(good, "the daemon", "answers at")
    has(good, "AWS account base", f"arn:aws:iam::{ACCOUNT}", "keys from the environment")
    has(good, "AWS account prod", "assumed-role/watch")
    for where in ("prod, eu-west-1", "prod, us-east-1", "base, eu-west-1"):
        has(good, f"AWS account {where}: cloudwatch:GetMetricData")
    for action in ("xray:GetServiceGraph", "xray:GetTraceSummaries", "cloudtrail:LookupEvents"):
        has(good, f"AWS account base, eu-west-1: {action}")
    expect(sum("prod, eu-west-1" in line for line in good) == 1, f"one call of each kind: {good}")
    has(good, "this clock is", "AWS's")
    for what in ("email 1 can be reached (login too)", "webhook 1 can be reached", "webhook 2 can be reached", "sns 1",
                 "/bin/true can be run"):
        has(good, "receiver people", what)
    has(good, "the heartbeat's address can be reached")
    world.fault({"denied": True}, operation="GetTopicAttributes")
    told = json.loads(doctor(world, "--json").stdout)
    world.heal()
    has([f"{check['what']} — {check['remedy']}" for check in told["checks"] if check["status"] == "warn"],
        "receiver people, sns 1: cannot be tried without sns:GetTopicAttributes; the daemon does not need it", "— tocsinctl")
    expect(told["ok"] and {check["area"] for check in told["checks"]} == {"config", "machine", "aws", "receivers"}, f"{told}")
    for secret in (PASSWORD, HOOK_PATH, EXTERNAL, *AWS_KEY):
        expect(secret not in done.stdout + done.stderr + json.dumps(told), "a secret is shown")


def broken(world, hook, facts):
    """Everything at once: each has its line, and none hides another."""
    os.chmod(world.state_dir, 0o755)
    os.chmod(os.path.join(world.dir, "password"), 0o644)
    hidden_file(world, "password", PASSWORD + "x\n")
    wrong = world.hook(certificate=world.ca().issue("other.example.org"))
    world.configure(CONFIG.format(**{**facts, "role": NOBODY, "other": wrong.url, "program": "no-such-program",
                                     "topic": TOPIC + "-gone", "heartbeat": "http://127.0.0.1:1/"}))
    world.fault({"denied": True}, operation="GetServiceGraph")
    world.fault({"hang": 60}, operation="LookupEvents")
    world.fault({"skew": 120})
    began = time.monotonic()
    done = doctor(world)
    took = time.monotonic() - began
    bad, odd = lines(done.stdout, "FAIL"), lines(done.stdout, "warn")
    expect(done.returncode == 1 and took < 60, f"in {took:.0f} s: {done.stdout}{done.stderr}")
    has(odd, "others may enter the state's folder", "— chmod 0700")
    has(odd, "password", "readable by group or others")
    has(odd, "the daemon does not run", "— systemctl start tocsin")
    has(bad, "AWS account prod", "sts:AssumeRole")
    has(odd, "AWS account prod, us-east-1: cloudwatch:GetMetricData: not tried", "— mend that first")
    has(bad, "AWS account base, eu-west-1: xray:GetServiceGraph: not allowed")
    has(odd, "this clock is", "behind AWS's", "— set the clock")
    has(bad, "AWS account base, eu-west-1: cloudtrail:LookupEvents")
    has(bad, "receiver people, email 1", "— check username and password_file")
    has(bad, "receiver people, webhook 2", "127.0.0.1", "for DNS:other.example.org")
    has(bad, "receiver people, sns 1", "NotFound")
    has(bad, "no-such-program is no program")
    has(bad, "the heartbeat's address", "refused")
    has(lines(done.stdout, "ok  "), "AWS account base, eu-west-1: cloudwatch:GetMetricData")
    has(lines(done.stdout, "ok  "), "webhook 1 can be reached")
    print(f"figure: doctor names {len(bad)} faults of a broken world in {took:.0f} s, and {len(odd)} things to look at")
    for secret in (PASSWORD, HOOK_PATH, EXTERNAL, *AWS_KEY):
        expect(secret not in done.stdout + done.stderr, "a secret is shown")
    began = time.monotonic()
    short = doctor(world, "--timeout", "2s")
    expect(time.monotonic() - began < 20, "what hangs is given up when the time is over")
    has(lines(short.stdout, "FAIL"), "cloudtrail:LookupEvents: no answer within 2 s")
    has(lines(short.stdout, "warn"), "this clock is", "behind AWS's")
    expect(short.returncode == 1 and f"{len(bad)} failed" in short.stdout, f"the others are told all the same: {short.stdout}")
    world.configure("alarms: 3\n")
    wrong = doctor(world)
    expect(wrong.returncode == 1 and "nothing was asked of AWS" in wrong.stdout, f"{wrong.stdout}{wrong.stderr}")
    has(lines(wrong.stdout, "FAIL"), f"{world.config_file}:", ": error: ")


run(scenario)
