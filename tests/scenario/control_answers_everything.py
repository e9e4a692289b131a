#!/usr/bin/python3
"""Every call of the socket and every verb of tocsinctl answers in its form; what may not change anything, does not."""

import json
import os
import subprocess

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire, hook_receiver
from world import expect, run, wait_for

KEYS = {
    "/v1/status": {"version", "pid", "started_at", "ready", "config", "alarms", "sources", "notifications", "aws"},
    "/v1/alarms": {"alarms"}, "/v1/history": {"transitions"}, "/v1/sources": {"sources"}, "/v1/notifications": {"notifications"},
    "/v1/alarms/load": {"name", "rule", "instances"},
}
INSTANCE = {"name", "fingerprint", "state", "since", "value", "threshold", "reason", "severity", "source", "account", "region",
            "labels", "annotations", "last_evaluated", "silenced_by", "inhibited_by", "acknowledged", "evaluation_error"}
VERBS = [["status"], ["alarms"], ["show", "load"], ["history"], ["sources"], ["notifications"]]
NOBODY = 65534


def scenario(world):
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url), control={"socket": world.socket, "mode": "0666"})
    world.start()
    fire(world)
    wait_for(lambda: bodies(hook), 20, "the message")
    for path, keys in KEYS.items():
        answer = world.get(path)
        expect(set(answer) >= keys, f"{path}: {sorted(answer)}")
    expect(set(world.instances("load")[0]) >= INSTANCE, f"an instance: {world.instances('load')[0]}")
    metrics = world.api("/metrics")[1]
    expect("tocsin_build_info" in metrics and "tocsin_aws_requests_total" in metrics, metrics[:2000])
    for path in ("/healthz", "/readyz"):
        expect(world.api(path)[0] == 200, path)
    for path, method, status in (("/v1/nothing", "GET", 404), ("/v1/alarms/nobody", "GET", 404), ("/v1/status", "POST", 405),
                                 ("/v1/receivers/nobody/test", "POST", 404), ("/v1/notifications/nothing/retry", "POST", 404)):
        got, answer = world.api(path, method)
        expect(got == status and answer["error"]["code"] and answer["error"]["message"], f"{method} {path}: {got} {answer}")
    for verb in VERBS:
        for form in ([], ["--json"]):
            done = world.ctl(*form, *verb)
            expect(done.returncode == 0 and "\x1b" not in done.stdout, f"{verb}: {done}")
            if form:
                json.loads(done.stdout)
    tested = world.ctl("test-receiver", "people")
    expect(tested.returncode == 0 and "200" in tested.stdout, f"the receiver's own answer is shown: {tested}")
    expect(world.ctl("nonsense").returncode == 2, "wrong usage is 2")
    world.socket, right = world.socket + ".absent", world.socket
    expect(world.ctl("status").returncode == 3, "a daemon that is not reached is 3")
    world.socket = right
    if os.geteuid() == 0:
        strangers(world)


def strangers(world):
    """Another user who may open the socket reads, and changes nothing."""
    os.chmod(world.dir, 0o755)
    def ask(method, path):
        return subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, "--unix-socket", world.socket,
                               f"http://tocsin{path}"], user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True,
                              text=True, timeout=30, check=False).stdout
    expect(ask("GET", "/v1/status") == "200", "a stranger may read")
    for path in ("/v1/reload", "/v1/receivers/people/test"):
        expect(ask("POST", path) == "403", f"a stranger may not POST {path}")


run(scenario)
