#!/usr/bin/python3
"""Why an alert was told or not stands in plain words: what was sent and answered, what holds it, and what comes next."""

import json
import time

from pieces import LOAD_ALARM, bodies, clear, fire, hook_receiver
from world import expect, run, wait_for

ROUTE = """
route: {receiver: people, group_wait: 0s, group_interval: 2s, repeat_interval: 4s}
"""


def words(world, *arguments):
    done = world.ctl("explain", *arguments)
    expect(done.returncode == 0, f"explain {arguments}: {done.returncode} {done.stderr}")
    return done.stdout


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def scenario(world):
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + ROUTE + hook_receiver(hook.url))
    world.start()
    world.wait_state("load", "OK")
    quiet = words(world, "load")
    expect("load is in OK" in quiet and "Nothing was decided about telling of it so far." in quiet, quiet)

    fingerprint = fire(world)["fingerprint"]
    wait_for(lambda: bodies(hook), 20, "it is told")
    told = wait_for(lambda: (lambda text: "delivered after 1 try" in text and text)(words(world, "load")), 20, "the receipt")
    for piece in ("load is in ALARM since", "1 of the newest 1 datapoints", "are > 80", "The newest datapoints",
                  "lead to the receiver people by the route {}", "people was told: first notification; webhook 0",
                  "Next, ", "people hears of it again if it still fires"):
        expect(piece in told, f"`{piece}` is not in\n{told}")
    time.sleep(1.1)  # `--at` speaks of whole seconds
    before = now()
    time.sleep(1.1)

    made = world.ctl("silence", "add", "team=shop", "--for", "1h", "--comment", "we know")
    expect(made.returncode == 0, made.stderr)
    held = wait_for(lambda: (lambda text: "people was not told: silenced by" in text and text)(words(world, fingerprint)),
                    30, "the decision to hold it")
    expect("we know" in held and "Nothing is said of it to people now: silenced by" in held, held)
    then = words(world, "load", "--at", before)
    expect("was in ALARM" in then and "first notification" in then and "silenced" not in then, then)

    world.kill()
    world.start()
    expect("people was not told: silenced by" in words(world, "load"), "a kill forgets no decision")
    clear(world)
    world.configure("alarms: []\n" + ROUTE + hook_receiver(hook.url))
    expect(world.reload()["ok"], "a file without the alarm")
    gone = words(world, fingerprint, "--at", before)
    expect("At " in gone and "was in ALARM" in gone and "first notification" in gone, gone)
    answer = json.loads(world.ctl("--json", "explain", fingerprint).stdout)
    expect(answer["decisions"] and answer["decisions"][-1]["messages"][0]["state"] == "delivered", answer)
    expect(world.ctl("explain", "nobody").returncode == 1, "an alarm that is none")
    expect(world.ctl("explain", "load", "--at", "noon").returncode == 2, "a time that is none")
    expect(world.api("/v1/explain/0123456789abcdef")[0] == 404, "a fingerprint that is nobody's")


run(scenario)
