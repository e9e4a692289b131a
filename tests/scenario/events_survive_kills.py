#!/usr/bin/python3
"""Kill -9 at random instants while events flow: in the end every event was counted, and none twice.

CYCLES kills or a few more (default 12); SEED draws them and is printed. After each kill the state file must hold an
event's id and its match together, or neither.
"""

import os
import random

from killing import Killer, is_whole, state_file
from pieces import QUICK_ROUTE, bodies, hook_receiver
from world import ACCOUNT, REGION, expect, run, wait_for

CYCLES = int(os.environ.get("CYCLES", "12"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
PAGE = 50  # events of one answer
EVENTS_MAX = 800  # of a long run's all, about: what came within the last minutes is read at each poll

ALARMS = """
poll: {cloudtrail: {every: 1s}}
alarms:
  - name: deletions
    events: {detection: {s: {eventName: DeleteTrail}, condition: s}, timespan: 1h}
"""
ID = "00000000-0000-4000-8000-"


def deletion(number):
    return {"event": {"eventID": f"{ID}{number:012d}", "eventName": "DeleteTrail", "readOnly": False,
                      "eventSource": "cloudtrail.amazonaws.com", "awsRegion": REGION, "eventType": "AwsApiCall",
                      "userIdentity": {"type": "IAMUser", "userName": "ann", "accountId": ACCOUNT}},
            "delay": 0, "region": REGION}


def told(hook):  # of the region where they happen
    return max([int(float(alert["annotations"]["matches"])) for body in bodies(hook, status="firing")
                for alert in body["alerts"]], default=0)


def scenario(world):
    print(f"SEED={SEED} CYCLES={CYCLES}", flush=True)
    chance, posted = random.Random(SEED), 0
    most = max(3, min(70, 2 * EVENTS_MAX // CYCLES))

    def look():
        with state_file(world) as state:
            killer.must(is_whole(state), "the file is whole", "quick_check found damage")
            lost = state.execute("SELECT count(*) FROM event_seen WHERE id LIKE ? AND id NOT IN (SELECT event_id FROM "
                                 "event_match)", (ID + "%",)).fetchone()[0]
            killer.must(not lost, "an event is seen and counted by one commit (I1)", f"{lost} seen and not counted")

    world.simulator({"cloudtrail": {"delay": {"min": 0, "max": 2}, "calls_per_second": 0, "repeat": 0.5, "reorder": True}})
    hook = world.hook()
    killer = Killer(world, chance, lambda: len(hook.hooks), look)
    world.configure(ALARMS + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    for _ in range(CYCLES):
        burst = chance.randint(1, most)
        world.sim("POST", "events", [deletion(posted + number) for number in range(burst)])
        posted += burst
        killer.strike()
        killer.rise()
    wait_for(lambda: told(hook) >= posted, 90, f"all {posted} are told")
    begin, polls = len(world.calls(operation="LookupEvents")), 3 * (posted // PAGE + 2)
    wait_for(lambda: len(world.calls(operation="LookupEvents")) >= begin + polls, 60, "all of them are read again")
    expect(told(hook) == posted, f"{posted} events, {told(hook)} counted")
    print(f"figure: {killer.kills} kills, SEED={SEED}: {posted} events, each counted once, ready within "
          f"{1000 * killer.slowest_s:.0f} ms")


run(scenario)
