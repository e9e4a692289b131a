#!/usr/bin/python3
"""One alarm fires and resolves: e-mail, SNS, webhook and exec each get both messages, saying the same."""

import hashlib
import hmac
import json
import os

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, clear, fire
from world import ACCOUNT, expect, run, wait_for

TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:oncall"
FIFO = f"arn:aws:sns:eu-west-1:{ACCOUNT}:ordered.fifo"
HMAC, PASSWORD = "hook-hmac-secret-8271", "mail-password-5529"


def configure(world, mail, hook):
    world.secret("hook-secret", HMAC)
    world.secret("mail-password", PASSWORD)
    world.configure(LOAD_ALARM + QUICK_ROUTE + f"""
receivers:
  - name: people
    email: {{to: [a@example.org], cc: [b@example.org], from: tocsin@example.org, smarthost: "{mail.address}", username: u, password_file: mail-password, ca_file: "{world.ca().ca_file}"}}
    sns: [{{topic_arn: "{TOPIC}"}}, {{topic_arn: "{FIFO}"}}]
    webhook: {{url: "{hook.url}/hook", hmac_secret_file: hook-secret, ca_file: "{world.ca().ca_file}", headers: {{X-Team: shop}}}}
    exec: {{command: [/bin/sh, -c, "cat > {world.dir}/exec-$$.json"]}}
""")


def executed(world, status):
    found = []
    for name in os.listdir(world.dir):
        if name.startswith("exec-"):
            with open(os.path.join(world.dir, name), encoding="utf-8") as file:
                text = file.read()
            if text and json.loads(text)["status"] == status:
                found.append(json.loads(text))
    return found


def scenario(world):
    world.simulator({"topics": [{"arn": TOPIC}, {"arn": FIFO}]})
    mail = world.mail(tls="starttls", certificate=world.ca().issue(), login=("u", PASSWORD))
    hook = world.hook(certificate=world.ca().issue())
    configure(world, mail, hook)
    world.start()
    for status, act, word in (("firing", fire, "[FIRING:1] load"), ("resolved", clear, "[RESOLVED] load")):
        act(world)
        wait_for(lambda: bodies(hook, status=status), 20, f"the webhook's {status}")
        wait_for(lambda: [entry for entry in mail.mails if entry.subject.startswith(word)], 20, f"the mail {word}")
        wait_for(lambda: executed(world, status), 20, f"exec's {status}")
        wait_for(lambda: {entry["TopicArn"] for entry in world.sim("GET", "published")["messages"]
                          if entry["Subject"].startswith(word)} == {TOPIC, FIFO}, 20, f"SNS's {word} on both topics")
    check_hook(hook)
    check_mail(mail)
    check_topics(world)
    wait_for(lambda: all(entry["state"] == "delivered" for entry in world.notifications()), 20, "all rows are delivered")
    world.expect_no_secret(HMAC, PASSWORD)


def check_hook(hook):
    first = hook.hooks[0]
    body, alert = first.json, first.json["alerts"][0]
    expect(body["version"] == "4" and body["receiver"] == "people", f"the body's head: {body}")
    expect(alert["endsAt"] == "0001-01-01T00:00:00Z", f"a firing alert has no end: {alert}")
    expect(alert["labels"]["alertname"] == "load" and alert["labels"]["severity"] == "critical"
           and alert["labels"]["team"] == "shop" and alert["labels"]["region"] == "eu-west-1", f"labels: {alert['labels']}")
    expect(set(alert["annotations"]) >= {"summary", "description", "value", "threshold", "reason", "runbook_url"},
           f"annotations: {alert['annotations']}")
    expect(first.headers.get("X-Team") == "shop" and first.headers.get("Idempotency-Key"), f"headers: {first.headers}")
    stamp, digest = (part.split("=", 1)[1] for part in first.headers["X-Tocsin-Signature"].split(","))
    right = hmac.new(HMAC.encode(), stamp.encode() + b"." + first.body, hashlib.sha256).hexdigest()
    expect(hmac.compare_digest(right, digest), "the body's signature verifies")
    ids = [entry.headers["Idempotency-Key"] for entry in hook.hooks]
    expect(len(set(ids)) == len(ids), "each notification has an id of its own")


def check_mail(mail):
    first = mail.mails[0]
    expect(first.tls and first.user == "u", "the mail came over TLS and after a login")
    expect(set(first.recipients) == {"a@example.org", "b@example.org"}, f"recipients: {first.recipients}")
    expect("eu-west-1" in first.subject and first.message["Message-ID"], f"subject: {first.subject}")
    expect(b"\r\n" in first.raw and b"\n" not in first.raw.replace(b"\r\n", b""), "all lines end in CR LF")
    for kind in ("plain", "html"):
        text = first.body(kind)
        expect(text is not None, f"the mail has a {kind} part")
        for word in ("load", "80", "95", "runbooks.example.org/load"):
            expect(word in text, f"`{word}` stands in the {kind} part:\n{text}")


def check_topics(world):
    for entry in world.sim("GET", "published")["messages"]:
        message = json.loads(entry["Message"])
        expect(set(message) >= {"default", "email", "sms", "https", "lambda", "sqs"}, f"keys: {sorted(message)}")
        expect(len(message["sms"]) <= 140, f"a text message of {len(message['sms'])} characters")
        expect(json.loads(message["sqs"])["version"] == "4", "sqs gets the webhook body")
        expect(len(entry["Subject"]) < 100 and entry["Subject"].isascii(), entry["Subject"])


run(scenario)
