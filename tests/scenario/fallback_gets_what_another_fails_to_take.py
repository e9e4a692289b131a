#!/usr/bin/python3
"""A receiver that has failed for so long hands over to its fallback, once, saying so, whatever crash comes between; and
it is tried all the same."""

import time

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire
from world import expect, run, wait_for


def of_load(hook, path):
    return [body for body in bodies(hook, path, "firing") if body["groupLabels"]["alertname"] == "load"]


def scenario(world):
    world.simulator({})
    hook = world.hook()
    hook.answer("/people", status=503)
    world.configure(LOAD_ALARM + QUICK_ROUTE + f"""
receivers:
  - {{name: people, fallback: {{receiver: lead, after: 8s}}, webhook: {{url: "{hook.url}/people"}}}}
  - {{name: lead, webhook: {{url: "{hook.url}/lead"}}}}
""")
    world.start()
    begin = time.time()
    fire(world)
    wait_for(lambda: hook.at("/people"), 20, "it is tried")
    time.sleep(2)
    world.kill()
    world.start()
    wait_for(lambda: of_load(hook, "/lead"), 40, "it is handed over")
    expect(time.time() - begin >= 8, "in its time")
    body = of_load(hook, "/lead")[0]
    expect("people could not be reached for" in body["alerts"][0]["annotations"]["fallback"], f"it says why: {body}")
    expect(body["receiver"] == "lead", f"it is the other's own: {body['receiver']}")
    ids = {entry.headers["Idempotency-Key"] for entry in hook.at("/people")}
    expect(hook.at("/lead")[0].headers["Idempotency-Key"] not in ids, "with an id of its own")
    why = wait_for(lambda: (lambda text: "webhook 0 delivered" in text and text)(world.ctl("explain", "load").stdout), 20,
                   "who heard of it instead, and what was answered")
    expect("lead was told: people could not be reached for" in why and "people was told: first notification" in why, why)
    world.kill()
    world.start()
    time.sleep(10)
    expect(len(of_load(hook, "/lead")) == 1, "it is handed over once")
    hook.heal("/people")
    expect(world.api("/v1/reload", "POST")[0] == 200, "the receiver works again")
    begun = len(hook.at("/people"))
    wait_for(lambda: len(hook.at("/people")) > begun and not world.notifications("pending"), 60, "it is tried on, and taken")
    expect(len(of_load(hook, "/lead")) == 1, "the other heard of it once")


run(scenario)
