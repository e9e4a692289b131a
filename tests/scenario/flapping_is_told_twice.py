#!/usr/bin/python3
"""An alarm that goes off and clears again and again is told as flapping once, over a kill too, and once when it stopped."""

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, hook_receiver
from world import expect, run, wait_for

FLAPPING = LOAD_ALARM.rstrip() + "\n    flap: {low: 24, high: 24}\n"  # four changes in a row are 24.2 %, one state later 23.7 %


def reasons(hook):
    return [body["notification_reason"] for body in bodies(hook)]


def swing(world, state):
    """More and more samples into the same minutes, so that their average swings."""
    swing.count *= 3
    for minute in range(-5, 0):
        world.push(400 if state == "ALARM" else -400, minute=minute, count=swing.count)
    world.wait_state("load", state)


swing.count = 2


def scenario(world):
    world.simulator({})
    hook = world.hook()
    world.configure(FLAPPING + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    world.wait_state("load", "OK")
    for told, state in ((1, "ALARM"), (2, "OK"), (3, "ALARM")):
        swing(world, state)
        wait_for(lambda: len(reasons(hook)) == told, 20, f"{state} is told")
    swing(world, "OK")
    flapping = wait_for(lambda: len(reasons(hook)) == 4 and bodies(hook)[3], 20, "the fourth message")
    alert = flapping["alerts"][0]
    expect(flapping["status"] == "firing" and flapping["notification_reason"] == "alert is flapping", flapping)
    expect(alert["annotations"]["flapping"] == "true" and "flapping" in alert["annotations"]["summary"], alert)
    expect(world.instances("load")[0]["flapping"] is True, "it is shown")
    expect("messages are held" in world.ctl("show", "load").stdout, "and for people")
    world.kill()
    world.start()
    expect(world.instances("load")[0]["flapping"] is True, "a kill forgets nothing")
    expect(world.instances("load")[0]["state"] == "OK", "its state goes on meanwhile")
    expect(len(reasons(hook)) == 4, f"nothing more is told while it flaps: {reasons(hook)}")
    wait_for(lambda: len(reasons(hook)) == 5, 150, "it is told that it stopped")
    expect(bodies(hook)[4]["status"] == "resolved", bodies(hook)[4])
    expect(world.instances("load")[0]["flapping"] is False, "and shown")


run(scenario)
