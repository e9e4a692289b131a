#!/usr/bin/python3
"""A silence is on disk before its id is told; nothing is sent while it lasts; what still fires is told when it ends."""

import time

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire, hook_receiver
from world import expect, run, wait_for


def add(world, *words):
    done = world.ctl("silence", "add", *words)
    expect(done.returncode == 0, f"the silence is made: {done}")
    return done.stdout.strip()


def firing(hook):
    return bodies(hook, status="firing")


def scenario(world):
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    world.wait_state("load", "OK")
    first = add(world, 'alertname=~"lo.d"', "--comment", "a deploy", "--for", "1h")
    world.kill()  # the id was told: it is on disk
    world.start()
    fire(world)
    load = world.instances("load")[0]
    expect(load["silenced_by"] == [first], f"it says what holds it: {load['silenced_by']}")
    time.sleep(4)
    expect(not firing(hook), "nothing is sent")
    world.kill()
    world.start()
    time.sleep(3)
    expect(not firing(hook), "nor after a crash")
    done = world.ctl("silence", "update", first, "--for", "6s")
    expect(done.stdout.strip() == first, f"it keeps its id: {done}")
    ends = time.time() + 6
    wait_for(lambda: firing(hook), 20, "it is told when the silence ends")
    expect(time.time() >= ends - 1, "and not before")
    expect(world.instances("load")[0]["silenced_by"] == [], "nothing holds it any more")
    expect(firing(hook)[0]["notification_reason"] == "first notification", "it is the first that they hear")

    second = add(world, "team=shop", "severity=critical", "--comment", "another")
    world.kill()
    world.start()
    time.sleep(2.5)
    expect(len(firing(hook)) == 1, "what was told before is silent, too")
    done = world.ctl("silence", "expire", second)
    expect(done.returncode == 0, f"it ends by hand: {done}")
    wait_for(lambda: len(firing(hook)) == 2, 20, "what still fires is told again")
    expect(firing(hook)[1]["notification_reason"] == "no longer muted", f"with that reason: {firing(hook)[1]}")
    states = {silence["id"]: silence["status"]["state"] for silence in world.get("/v1/silences")["silences"]}
    expect(states == {first: "expired", second: "expired"}, f"both are kept: {states}")

    silent = world.ctl("silence", "add", "alertname=nothing", "--comment", "typo")
    expect("matches no alarm" in silent.stderr, f"what matches nothing is said: {silent}")


run(scenario)
