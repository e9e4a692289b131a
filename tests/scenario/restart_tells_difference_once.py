#!/usr/bin/python3
"""After a stop, and after kill -9: no message twice, no message lost; what changed meanwhile is told once."""

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire, hook_receiver
from world import expect, run, wait_for


def settled(world, hook, firing, resolved):
    wait_for(lambda: (len(bodies(hook, status="firing")), len(bodies(hook, status="resolved"))) == (firing, resolved), 40,
             f"{firing} firing and {resolved} resolved messages, of {[body['status'] for body in bodies(hook)]}")
    wait_for(lambda: all(entry["state"] == "delivered" for entry in world.notifications()), 20, "all is delivered")


def polled(world):
    """Two more polls have been evaluated."""
    begin = len(world.calls(operation="GetMetricData"))
    wait_for(lambda: len(world.calls(operation="GetMetricData")) >= begin + 3, 40, "three more polls")


def scenario(world):
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    since = fire(world)["since"]
    settled(world, hook, 1, 0)
    for again in (world.restart, lambda: (world.kill(), world.start())):
        again()
        world.push(95)
        polled(world)
        expect(world.state("load") == "ALARM" and world.instances("load")[0]["since"] == since, "the state is as it was")
        settled(world, hook, 1, 0)
    world.stop()
    for minute in range(-6, 0):
        world.push(1, minute=minute, count=500)
    world.start()
    world.wait_state("load", "OK")
    settled(world, hook, 1, 1)
    history = [(entry["from"], entry["to"]) for entry in world.get("/v1/history?name=load")["transitions"]]
    expect(history[0] == ("ALARM", "OK") and len([pair for pair in history if pair[1] == "ALARM"]) == 1, f"history: {history}")
    ids = [entry.headers["Idempotency-Key"] for entry in hook.hooks]
    expect(len(ids) == len(set(ids)), f"nothing came twice: {ids}")


run(scenario)
