#!/usr/bin/python3
"""The demo after the build: simulated AWS, receivers, tocsind; tells what happens as it happens, then shows what came."""

import argparse
import datetime
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "scenario"))

from world import Failed, Skip, World  # noqa: E402 (its folder must be on the path first)

DEADLINE_S = 120  # both alarms have fired and resolved long before
COLOURS = {"ALARM": "31;1", "OK": "32", "INSUFFICIENT_DATA": "33", "dim": "2", "bold": "1", "FIRING": "31;1", "RESOLVED": "32;1"}
ALARMS = ("checkout-slow", "no-orders")
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "ReadMetrics", "Effect": "Allow", "Action": "cloudwatch:GetMetricData", "Resource": "*"},
        {"Sid": "OnlyWithAnSnsReceiver", "Effect": "Allow", "Action": ["sns:Publish", "sns:GetTopicAttributes"],
         "Resource": "arn:aws:sns:eu-west-1:111122223333:oncall"},
        {"Sid": "OnlyWithSeveralAccounts", "Effect": "Allow", "Action": "sts:AssumeRole",
         "Resource": "arn:aws:iam::444455556666:role/tocsin"},
    ],
}
REAL = """Save this as /etc/tocsin/tocsin.yaml (or anywhere, with -c), with a metric of yours:

  aws: {region: eu-west-1}            # no endpoint_url: Tocsin asks AWS itself
  alarms:
    - name: cpu
      metric: {namespace: AWS/EC2, metric_name: CPUUtilization, dimensions: {InstanceId: i-0123456789abcdef0}, statistic: Average, period: 300}
      comparison_operator: ">"
      threshold: 80
      evaluation_periods: 3
  receivers: [{name: oncall, webhook: {url: "https://example.org/hook"}}]
  route: {receiver: oncall}

then:

  build/daemon/tocsind --check -c tocsin.yaml     # every mistake with its line, and the price a month
  AWS_PROFILE=monitoring TOCSIN_PLUGIN_DIR=build/plugins build/daemon/tocsind --once -c tocsin.yaml
"""


class Screen:
    """Lines for a person; colour only on a terminal."""

    def __init__(self):
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.begin = time.monotonic()

    def paint(self, text, name):
        return f"\x1b[{COLOURS[name]}m{text}\x1b[0m" if self.colour and name in COLOURS else text

    def tell(self, who, text):
        at = datetime.datetime.now(datetime.timezone.utc).strftime("%H:%M:%S")
        print(f"  {self.paint(at, 'dim')}  {who:<10} {text}", flush=True)

    def head(self, text):
        print(f"\n{self.paint(text, 'bold')}", flush=True)

    def block(self, text):
        for line in text.rstrip().splitlines():
            print(f"  | {line}".rstrip())
        sys.stdout.flush()


class Demo:
    def __init__(self, world, screen):
        self.world, self.screen = world, screen
        self.told, self.mails, self.hooks, self.topics = set(), 0, 0, 0
        self.mail, self.hook = world.mail(), world.hook()

    def start(self):
        world = self.world
        with open(os.path.join(HERE, "scenario.yaml"), encoding="utf-8") as file:
            scenario = file.read()
        with open(os.path.join(HERE, "tocsin.yaml"), encoding="utf-8") as file:
            text = file.read()
        world.simulator(scenario)
        for name, value in (("@AWS@", f"http://127.0.0.1:{world.sim_port}"), ("@DIR@", world.dir),
                            ("@MAIL@", self.mail.address), ("@HOOK@", self.hook.url)):
            text = text.replace(name, value)
        world.raw_config(text)
        check = world.check()
        if check.returncode:
            raise Failed(f"the demo's configuration: {check.stderr}")
        self.screen.tell("--check", check.stdout.strip().replace(world.dir + os.sep, ""))
        world.start()
        self.screen.tell("tocsind", f"runs as pid {world.daemon.pid}; AWS is {world.sim_port}, mail {self.mail.port}, "
                         f"webhook {self.hook.port}, all on 127.0.0.1")

    def step(self):
        """Tells what is new since the last look. True when each alarm's end has reached each channel."""
        for entry in reversed(self.world.get("/v1/history")["transitions"]):
            mark = (entry["name"], entry["time"], entry["to"])
            if mark not in self.told:
                self.told.add(mark)
                value = "" if entry["value"] is None else f"  value {float(entry['value']):.3g}"
                to = self.screen.paint(entry["to"], entry["to"])
                self.screen.tell("alarm", f"{entry['name']}: {entry['from']} -> {to}{value}")
        for mail in self.mail.mails[self.mails:]:
            self.screen.tell("e-mail", f"to {', '.join(mail.recipients)}: {mail.subject}")
        for hook in self.hook.hooks[self.hooks:]:
            body = hook.json
            self.screen.tell("webhook", f"{body['status']}: {body['groupLabels'].get('alertname')} "
                             f"({len(body['alerts'])} alert, {len(hook.body)} bytes)")
        published = self.world.sim("GET", "published")["messages"]
        for message in published[self.topics:]:
            self.screen.tell("SNS", f"{message['TopicArn'].rsplit(':', 1)[1]}: {message.get('Subject')}")
        self.mails, self.hooks, self.topics = len(self.mail.mails), len(self.hook.hooks), len(published)
        return self._resolved(published)

    def _resolved(self, published):
        ended = [f"[RESOLVED] {name}" for name in ALARMS]
        mails = [mail.subject for mail in self.mail.mails]
        topics = [message.get("Subject") or "" for message in published]
        hooks = [hook.json["groupLabels"].get("alertname") for hook in self.hook.hooks if hook.json["status"] == "resolved"]
        return (all(any(subject.startswith(end) for subject in mails) for end in ended)
                and all(any(subject.startswith(end) for subject in topics) for end in ended)
                and all(name in hooks for name in ALARMS))

    def follow(self):
        end = time.monotonic() + DEADLINE_S
        while not self.step():
            if time.monotonic() > end:
                raise Failed("the alarms have not fired and resolved in time")
            time.sleep(0.2)

    def show(self):
        name = ALARMS[0]
        fired = next(mail for mail in self.mail.mails if name in mail.subject and "FIRING" in mail.subject)
        self.screen.head(f"The mail that came for {name} (its text part; it has an HTML part, too)")
        self.screen.block(f"Subject: {fired.subject}\n\n{fired.body('plain')}")
        hook = next(hook.json for hook in self.hook.hooks if hook.json["groupLabels"].get("alertname") == name)
        self.screen.head("The webhook's body (Alertmanager's, version 4), shortened")
        alert = {key: hook["alerts"][0][key] for key in ("status", "labels", "annotations", "startsAt", "fingerprint")}
        self.screen.block(json.dumps({**{key: hook[key] for key in ("version", "status", "receiver", "groupLabels")},
                                      "alerts": [alert]}, indent=2))
        messages = self.world.sim("GET", "published")["messages"]
        last = [message for message in messages if name in (message.get("Subject") or "")][-1]
        self.screen.head("What SNS took when it was over: the text message")
        self.screen.block(f"Subject: {last['Subject']}\n{json.loads(last['Message'])['sms']}")

    def ctl(self, *arguments):
        self.screen.head(f"tocsinctl {' '.join(arguments)}")
        done = self.world.ctl(*arguments)
        self.screen.block(done.stdout + done.stderr)


def real_account(screen):
    screen.head("Now with a real account")
    print(REAL)
    print("The least IAM policy (the last two statements only where their Sid applies):\n")
    print(json.dumps(POLICY, indent=2))


def stay(demo, screen):
    """Keeps all running until somebody presses Ctrl-C, telling what happens."""
    world = demo.world
    screen.head("Staying until Ctrl-C. Try, in another terminal:")
    socket = f"{os.path.relpath(world.program('tocsinctl'))} --socket {world.socket}"
    for words in ("status", "show checkout-slow", "test-receiver oncall", "watch"):
        print(f"  {socket} {words}")
    print(f"  $EDITOR {world.config_file}; {socket} reload\n  kill -9 {world.daemon.pid}      (the demo starts it again)")
    try:
        while True:
            if world.daemon.poll() is not None:
                screen.tell("tocsind", f"is gone ({world.daemon.returncode}); starting it again on the same state")
                world.start()
            demo.step()
            time.sleep(0.5)
    except KeyboardInterrupt:
        print()


def main():
    parser = argparse.ArgumentParser(prog="tests/demo")
    parser.add_argument("build")
    parser.add_argument("--stay", action="store_true", help="keep all running until Ctrl-C, to play with")
    options = parser.parse_args()
    screen, failed = Screen(), True
    world = World(os.path.join(ROOT, options.build))
    try:
        demo = Demo(world, screen)
        demo.start()
        demo.follow()
        demo.show()
        demo.ctl("alarms")
        demo.ctl("history")
        real_account(screen)
        if options.stay:
            stay(demo, screen)
        failed = False
    except KeyboardInterrupt:
        failed = False
    finally:
        world.close(failed)
    screen.head("Done; everything that was started is stopped. `tests/demo --stay` keeps it running to play with.")


if __name__ == "__main__":
    try:
        main()
    except (Failed, Skip) as error:
        print(f"the demo failed: {error}", file=sys.stderr)
        sys.exit(1)
