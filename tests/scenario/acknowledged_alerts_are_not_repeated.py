#!/usr/bin/python3
"""Who acknowledges stops the repeats for everybody, until it is taken back, ends, or the alert resolves; it outlives a
crash, and everybody sees who it was."""

import time

from pieces import LOAD_ALARM, bodies, clear, fire, hook_receiver
from world import expect, run, wait_for

ROUTE = """
route: {receiver: people, group_wait: 0s, group_interval: 1s, repeat_interval: 2s}
"""


def firing(hook):
    return bodies(hook, status="firing")


def quiet(hook, seconds, what):
    before = len(firing(hook))
    time.sleep(seconds)
    expect(len(firing(hook)) == before, what)


def repeats(hook, what):
    before = len(firing(hook))
    wait_for(lambda: len(firing(hook)) > before, 20, what)


def scenario(world):
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + ROUTE + hook_receiver(hook.url))
    world.start()
    fire(world)
    repeats(hook, "it is told"), repeats(hook, "and repeated")
    done = world.ctl("ack", "load", "--author", "ann", "--comment", "rolling back")
    expect(done.returncode == 0, f"it is acknowledged: {done}")
    world.kill()  # it was answered: it is on disk
    world.start()
    time.sleep(1)
    quiet(hook, 6, "nobody is reminded")
    ack = world.instances("load")[0]["acknowledged"]
    expect(ack["by"] == "ann" and ack["comment"] == "rolling back" and ack["until"] is None, f"it says who: {ack}")
    shown = world.ctl("show", "load").stdout
    expect("acknowledged by ann: rolling back" in shown, f"show says who: {shown}")

    fingerprint = world.instances("load")[0]["fingerprint"]
    expect(world.ctl("unack", fingerprint).returncode == 0, "it is taken back")
    repeats(hook, "they are reminded again")
    expect("acknowledged_by" not in firing(hook)[-1]["alerts"][0]["annotations"], "nobody is named any more")
    expect(world.ctl("ack", "load", "--for", "5s").returncode == 0, "for a while")
    ends = time.time() + 5
    repeats(hook, "when that is over they are reminded again")
    expect(time.time() >= ends - 2, "and not before")

    expect(world.ctl("ack", "load").returncode == 0, "once more")
    clear(world)
    wait_for(lambda: bodies(hook, status="resolved"), 20, "the end is told")
    expect(world.instances("load")[0]["acknowledged"] is None, "nothing is left to be on")
    expect(world.ctl("ack", "load").returncode == 1, "what does not fire cannot be acknowledged")


run(scenario)
