#!/usr/bin/python3
"""Kill -9 at random instants while events flow: in the end every event was counted, and none twice.

CYCLES kills (default 12); SEED draws them and is printed.
"""

import os
import random
import time

from pieces import QUICK_ROUTE, bodies, hook_receiver
from world import ACCOUNT, REGION, expect, run, wait_for

ALARMS = """
poll: {cloudtrail: {every: 1s}}
alarms:
  - name: deletions
    events: {detection: {s: {eventName: DeleteTrail}, condition: s}, timespan: 1h}
"""


def deletion(number):
    return {"event": {"eventID": f"00000000-0000-4000-8000-{number:012d}", "eventName": "DeleteTrail", "readOnly": False,
                      "eventSource": "cloudtrail.amazonaws.com", "awsRegion": REGION, "eventType": "AwsApiCall",
                      "userIdentity": {"type": "IAMUser", "userName": "ann", "accountId": ACCOUNT}},
            "delay": 0, "region": REGION}


def told(hook):  # of the region where they happen
    return max([int(float(alert["annotations"]["matches"])) for body in bodies(hook, status="firing")
                for alert in body["alerts"]], default=0)


def scenario(world):
    seed, cycles = int(os.environ.get("SEED", random.randrange(10**6))), int(os.environ.get("CYCLES", "12"))
    print(f"SEED={seed} CYCLES={cycles}")
    chance, posted = random.Random(seed), 0
    world.simulator({"cloudtrail": {"delay": {"min": 0, "max": 2}, "calls_per_second": 0, "repeat": 0.5, "reorder": True}})
    hook = world.hook()
    world.configure(ALARMS + QUICK_ROUTE + hook_receiver(hook.url))
    world.start()
    for _ in range(cycles):
        burst = chance.randint(1, 70)
        world.sim("POST", "events", [deletion(posted + number) for number in range(burst)])
        posted += burst
        time.sleep(chance.uniform(0, 1.5))
        world.kill()
        world.start(ready=chance.random() < 0.7)
    wait_for(world._ready, 30, "ready")
    wait_for(lambda: told(hook) >= posted, 90, f"all {posted} are told")
    time.sleep(3)
    expect(told(hook) == posted, f"{posted} events, {told(hook)} counted")


run(scenario)
