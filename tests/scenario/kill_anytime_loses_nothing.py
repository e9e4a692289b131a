#!/usr/bin/python3
"""kill -9 at random instants: every message that was owed arrives, and the state is what it was. CYCLES and SEED by name.

Each alarm is a group of its own, so the last message about it must say what its state is. Meanwhile alarms are silenced
and acknowledged: what was answered is there after the kill, and when all silences are over, the same holds of all.
"""

import collections
import os
import random
import sqlite3
import time

from many_alarms import ALARMS, agrees, alarms, toggle
from pieces import QUICK_ROUTE, hook_receiver
from world import expect, run, wait_for

CYCLES = int(os.environ.get("CYCLES", "15"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
IN_FLIGHT = 4  # sends at once to one receiver


def meddle(world, chance, silences, acks):
    """Silences one alarm or ends a silence, and acknowledges what fires; keeps what was answered."""
    if silences and chance.random() < 0.5:
        status, answer = world.api(f"/v1/silences/{silences.pop()}", "DELETE")
        expect(status == 200, f"a silence is ended: {answer}")
    else:
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        name = f"a{chance.randrange(ALARMS)}"
        status, answer = world.api("/v1/silences", "POST", {
            "matchers": [{"name": "alertname", "value": name, "isRegex": False}], "endsAt": until,
            "createdBy": "test", "comment": "chance"})
        expect(status == 200, f"a silence is made: {answer}")
        silences.append(answer["silenceID"])
    for entry in world.instances():
        if entry["state"] == "ALARM" and chance.random() < 0.3:
            status, answer = world.api(f"/v1/alarms/{entry['fingerprint']}/acknowledge", "POST", {"by": "test"})
            if status == 200:  # else it has just ended
                acks[entry["fingerprint"]] = (entry["since"], answer)


def check_kept(world, silences, acks):
    active = {entry["id"] for entry in world.get("/v1/silences")["silences"] if entry["status"]["state"] == "active"}
    expect(active == set(silences), f"silences are those that were answered: {active} {silences}")
    for entry in world.instances():
        since, ack = acks.get(entry["fingerprint"], (None, None))
        if entry["state"] == "ALARM" and entry["since"] == since:
            expect(entry["acknowledged"] == ack, f"it is acknowledged still: {entry['name']} {entry['acknowledged']} {ack}")


def scenario(world):
    print(f"SEED={SEED} CYCLES={CYCLES}")
    chance, weight = random.Random(SEED), [1.0]
    world.simulator({}, "--seed", str(SEED % 1000))
    hook = world.hook()
    world.configure(alarms() + QUICK_ROUTE + hook_receiver(hook.url), log={"level": "info"})
    world.start()
    silences, acks = [], {}
    for _ in range(CYCLES):
        toggle(world, chance, weight)
        meddle(world, chance, silences, acks)
        time.sleep(chance.random() * 2)  # the instant of the kill is what is random here, nothing waits for it
        world.kill()
        world.start()
        check_kept(world, silences, acks)
    for silence in silences:
        world.api(f"/v1/silences/{silence}", "DELETE")
    wait_for(lambda: agrees(world, hook), 60, "the last message about each alarm says its state, and nothing is owed")
    ids = [entry.headers["Idempotency-Key"] for entry in hook.hooks]
    twice = sum(count - 1 for count in collections.Counter(ids).values())
    expect(twice <= CYCLES * IN_FLIGHT, f"{twice} duplicates after {CYCLES} kills")
    delivered = {str(entry["id"]) for entry in world.notifications("delivered")}
    lost = delivered - set(ids)
    expect(not lost, f"marked delivered and never sent: {lost}")
    same = collections.defaultdict(set)
    for entry in hook.hooks:
        same[entry.headers["Idempotency-Key"]].add(entry.body)
    expect(all(len(kinds) == 1 for kinds in same.values()), "each id has one body")
    world.stop()
    check_file(world)
    print(f"figure: {CYCLES} kills, SEED={SEED}: {len(ids)} messages, 0 lost, {twice} twice (at most {CYCLES * IN_FLIGHT} in flight)")


def check_file(world):
    for name in os.listdir(world.state_dir):
        path = os.path.join(world.state_dir, name)
        with open(path, "rb") as file:
            if file.read(15) != b"SQLite format 3":
                continue
        connection = sqlite3.connect(path)
        expect(connection.execute("PRAGMA quick_check").fetchone()[0] == "ok", f"{name} is whole")
        connection.close()


run(scenario)
