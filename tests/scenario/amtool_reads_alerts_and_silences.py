#!/usr/bin/python3
"""Debian's own amtool, unmodified, reads alerts, silences and routes from the read-only address."""

import json
import shutil
import socket
import subprocess
import urllib.request

from pieces import fire, hook_receiver, LOAD_ALARM
from world import Skip, expect, run, wait_for

TREE = """
route:
  receiver: people
  group_by: [alertname, region]
  group_wait: 0s
  routes:
    - {matchers: ['team="shop"', 'severity=~"crit.*"'], receiver: people, continue: true, mute_time_intervals: [never]}
    - {matchers: ['team="shop"'], receiver: shop}
time_intervals:
  - name: never
    time_intervals: [{years: ['1999']}]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def scenario(world):
    amtool = shutil.which("amtool")
    if not amtool:
        raise Skip("amtool (package prometheus-alertmanager) is not here")
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def am(*arguments, status=0):
        done = subprocess.run([amtool, f"--alertmanager.url={url}", *arguments], env=world.env, cwd=world.dir,
                              capture_output=True, text=True, timeout=60, check=False)
        expect(done.returncode == status, f"amtool {arguments}: {done.returncode}: {done.stdout} {done.stderr}")
        return done.stdout

    def get(path):
        with urllib.request.urlopen(url + path, timeout=30) as answer:
            return json.load(answer)

    world.simulator({})
    hook = world.hook()
    receivers = hook_receiver(hook.url) + f"  - name: shop\n    webhook: {{url: \"{hook.url}/shop\"}}\n"
    world.configure(LOAD_ALARM + TREE + receivers, control={"socket": world.socket, "listen": f"127.0.0.1:{port}"})
    world.start()
    expect(json.loads(am("-o", "json", "alert", "query")) == [], "nothing fires")
    fire(world)

    alert, = wait_for(lambda: json.loads(am("-o", "json", "alert", "query")), 20, "the alert is there")
    expect(alert["labels"]["alertname"] == "load" and alert["status"]["state"] == "active", alert)
    expect(sorted(entry["name"] for entry in alert["receivers"]) == ["people", "shop"], alert)
    expect(alert["annotations"]["runbook_url"].endswith("/load") and "80" in alert["annotations"]["summary"], alert)
    expect("load" in am("alert", "query", "severity=critical"), "a matcher that fits")
    expect("load" not in am("alert", "query", "severity=info"), "a matcher that does not")
    expect("load" in am("alert", "query", "--receiver=sh.p"), "by receiver")
    expect("load" not in am("alert", "query", "--receiver=sho"), "by the whole of it")
    expect(am("config", "routes", "test", "team=shop", "severity=critical").split() == ["people,shop"], "the tree")
    shown = am("config", "routes", "show")
    expect("shop" in shown and 'team="shop"' in shown, shown)

    made = world.ctl("silence", "add", "team=shop", "--for", "1h", "--comment", "we know")
    expect(made.returncode == 0, made.stderr)
    silence, = json.loads(am("-o", "json", "silence", "query"))
    expect(silence["comment"] == "we know" and silence["status"]["state"] == "active", silence)
    expect("team" in am("silence", "query", "team=shop"), "a silence by its matcher")
    expect(json.loads(am("-o", "json", "silence", "query", "team=till")) == [], "no such matcher")
    held, = json.loads(am("-o", "json", "alert", "query", "--silenced"))
    expect(held["status"] == {"inhibitedBy": [], "silencedBy": [silence["id"]], "state": "suppressed"}, held)
    expect(json.loads(am("-o", "json", "alert", "query")) == [], "what is silenced is not active")

    groups = get("/api/v2/alerts/groups")
    expect([(group["receiver"]["name"], group["labels"]) for group in groups] ==
           [(name, {"alertname": "load", "region": "eu-west-1"}) for name in ("people", "shop")], groups)
    expect(get("/api/v2/alerts/groups?receiver=shop")[0]["alerts"][0]["fingerprint"] == held["fingerprint"], "one group")
    expect(get("/api/v2/receivers") == [{"name": "people"}, {"name": "shop"}], "receivers")
    status = get("/api/v2/status")
    expect(status["cluster"]["status"] == "disabled" and status["versionInfo"]["version"], status)
    expect(get(f"/api/v2/silence/{silence['id']}") == silence, "one silence")
    expect("bad matcher" in world.api("/api/v2/alerts?filter=%7Bx")[1], "a bad filter")
    expect(world.api("/api/v2/alerts?active=maybe")[0] == 400, "a bad flag")
    expect(world.api("/api/v2/silence/none")[0] == 404, "no such silence")
    am("silence", "expire", silence["id"], status=1)  # the address is read-only


run(scenario)
