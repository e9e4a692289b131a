#!/usr/bin/python3
"""The state file is damaged anywhere, after a clean stop or a kill: the daemon is ready at its first start, or at its
second where the damage showed at work only; it goes on with what is whole, or sets the file aside, says so and begins
afresh. DAMAGES says how often, SEED where."""

import os
import random
import shutil

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire, hook_receiver
from world import READY_S, expect, run, wait_for

DAMAGES = int(os.environ.get("DAMAGES", "24"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
VERSION = range(60, 64)  # of the head: a small number there is a newer version, which is refused by intent
STARTS_MAX = 2


def damage(dice, path):
    """What was done to it."""
    size, kind = os.path.getsize(path), dice.choice(("change", "zero", "cut"))
    at = dice.randrange(size)
    if kind == "cut":
        os.truncate(path, at)
        return f"cut at {at}"
    with open(path, "r+b") as file:
        for offset in range(at, min(size, at + dice.choice((1, 4, 64, 4096)))):
            if offset not in VERSION:
                file.seek(offset)
                file.write(bytes([dice.randrange(256) if kind == "change" else 0]))
    return f"{kind} at {at}"


def keep(world, name):
    copy = os.path.join(world.dir, name)
    shutil.copytree(world.state_dir, copy)
    return copy


def settle(world):
    """Starts it until it watches; how many starts that took, and whether the file was set aside."""
    for starts in range(1, STARTS_MAX + 1):
        world.start(ready=False)
        log_start = world.log_start

        def watches():
            if world.daemon.poll() is not None:
                return "ended"
            try:
                return world.state("load") == "ALARM" and "ready"
            except (OSError, ValueError):
                return None if world.daemon.poll() is None else "ended"
        if wait_for(watches, READY_S, "it watches") == "ready":
            with open(world.log_file, encoding="utf-8", errors="replace") as file:
                file.seek(log_start)
                return starts, "moved aside" in file.read()
        expect(world.daemon.returncode == 1, f"ended with {world.daemon.returncode}: not by the store's own word")
    raise AssertionError(f"not there after {STARTS_MAX} starts")


def scenario(world):
    print(f"SEED={SEED} DAMAGES={DAMAGES}")
    dice, kept, lost, again = random.Random(SEED), 0, 0, 0
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    fire(world)
    wait_for(lambda: bodies(hook, status="firing"), 20, "the firing message")
    world.stop()
    goods = [keep(world, "clean")]
    world.start()
    world.wait_state("load", "ALARM")
    world.push(95)
    world.kill()
    goods.append(keep(world, "killed"))
    for number in range(DAMAGES):
        shutil.rmtree(world.state_dir)
        shutil.copytree(goods[number % 2], world.state_dir)
        world.push(95)
        what = damage(dice, os.path.join(world.state_dir, "tocsin.db"))
        starts, is_lost = settle(world)
        print(f"{number}: {what}: {starts} starts, {'set aside' if is_lost else 'kept'}")
        kept, lost, again = kept + (not is_lost), lost + is_lost, again + (starts > 1)
        if is_lost:
            world.wait_state("TocsinStateLost", "ALARM")
            expect([name for name in os.listdir(world.state_dir) if ".lost-" in name], "the old file is kept")
        world.kill()
    print(f"figure: {DAMAGES} damaged files under the daemon (SEED={SEED}): {kept} kept, {lost} set aside and told; "
          f"ready at the first start {DAMAGES - again} times, at the second {again} times")


run(scenario)
