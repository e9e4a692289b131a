#!/usr/bin/python3
"""A message over which a plugin takes the daemon down at every try: at three crashes it is a suspect, sent alone and
after all others; at the sixth it is parked, saying so. Everything else arrives, and nothing crashes any more."""

import glob
import os
import shutil

from pieces import QUICK_ROUTE, bodies
from world import expect, run, wait_for

CRASHES, SUSPECT = 6, 3
FLIGHT = 4  # sends of one receiver at once: so many may have been there at all three crashes, and are suspects, too
ALARM = """
  - name: {name}
    severity: critical
    metric: {{namespace: Test, metric_name: Load, statistic: Average, period: 60}}
    comparison_operator: GreaterThanThreshold
    threshold: 80
    evaluation_periods: 1
    treat_missing_data: notBreaching
    settle: 1s
"""
GOOD = [f"good{number}" for number in range(6)]
POISON = "[FIRING:1] poison"


def plugins(world):
    """The built-in ones and the deadly one in a folder."""
    folder = os.path.join(world.dir, "plugins")
    os.mkdir(folder)
    for path in glob.glob(os.path.join(world.build, "plugins", "*.so")):
        shutil.copy(path, folder)
    shutil.copy(os.path.join(world.build, "tests", "plugins", "deadly.so"), folder)
    return folder


def lives(journal):
    """What each life of the daemon began and ended, up to its death."""
    with open(journal, encoding="ascii") as file:
        return [life.split() for life in file.read().split("death\n")]


def scenario(world):
    world.env["TOCSIN_PLUGIN_DIR"] = plugins(world)
    world.simulator({})
    hook, journal = world.hook(), os.path.join(world.dir, "journal")
    world.configure("alarms:" + "".join(ALARM.format(name=name) for name in ["poison", *GOOD]) + QUICK_ROUTE + f"""
receivers:
  - name: people
    deadly: {{mark: "{POISON}", journal: {journal}}}
    webhook: {{url: "{hook.url}/hook"}}
""")
    world.push(95)
    for crash in range(1, CRASHES + 1):
        world.start(ready=False)
        wait_for(lambda: world.daemon.poll() is not None, 60, f"crash {crash}")
        expect(world.daemon.returncode == -9, f"it is the plugin that ends it: {world.daemon.returncode}")
    world.start()
    parked = wait_for(lambda: world.notifications("parked"), 20, "the message is parked")
    expect(len(parked) == 1 and parked[0]["plugin"] == "deadly" and f"last {CRASHES} times" in parked[0]["last_error"],
           f"it alone, saying why: {parked}")
    wait_for(lambda: sum(row["plugin"] == "deadly" for row in world.notifications("delivered")) >= len(GOOD), 30,
             "every other message went through the same plugin")
    for name in ["poison", *GOOD]:
        wait_for(lambda: [body for body in bodies(hook, status="firing") if name in str(body["groupLabels"])], 20,
                 f"{name} arrived elsewhere")

    told = lives(journal)
    expect(len(told) == CRASHES + 1, f"it was sent {CRASHES} times and not again: {told}")
    for number, life in enumerate(told[SUSPECT:CRASHES], SUSPECT + 1):
        expect(life.count("begin") == life.count("end"), f"at try {number} nothing else was under way: {life}")
    before = sum(life.count("end") for life in told[:SUSPECT + 1])
    expect(before >= len(GOOD) - (FLIGHT - 1), f"as a suspect it went after all that are none: {told}")
    for minute in range(-5, 0):
        world.push(1, minute=minute, count=500)
    wait_for(lambda: [row for row in bodies(hook, status="resolved") if "poison" in str(row["groupLabels"])], 20,
             "its end is told")
    expect(len(lives(journal)) == CRASHES + 1, "and crashes nothing")
    print(f"figure: {CRASHES} crashes over one message: it alone is parked, {before} of {len(GOOD)} others went before it, "
          "all arrived")


run(scenario)
