#!/usr/bin/python3
"""The state's file system fills up: Tocsin goes on watching and telling, says that it cannot keep it, to the dead man's
switch too, and recovers."""

import os
import subprocess
import time

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire, hook_receiver
from world import Skip, expect, run, wait_for

SIZE = "24m"  # the reserve of 16 MiB, the database, and a little


def filler(world):
    """The full disk as seen from here: the daemon lives in a mount namespace of its own."""
    return f"/proc/{world.daemon.pid}/root{world.state_dir}/filler"


def fill(world):
    with open(filler(world), "wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2


def scenario(world):
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    if probe.returncode:
        raise Skip("no mount namespace of one's own here (it takes root)")
    world.simulator({})
    hook = world.hook()
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url) + f"\nheartbeat: {{url: '{hook.url}/ping', every: 12s}}\n")
    os.mkdir(world.state_dir, 0o700)
    world.start(wrapper=["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o mode=0700,size=' + SIZE + ' none "$0" && exec "$@"',
                         world.state_dir])
    world.wait_state("load", "OK")
    fill(world)
    full = time.time()
    fire(world, 60)
    world.wait_state("TocsinStateFull", "ALARM", 90)
    fill(world)
    expect(world.api("/healthz")[0] in (200, 503), "it answers")
    wait_for(lambda: [beat for beat in hook.at("/ping/fail") if b"TocsinStateFull" in beat.body], 30, "the switch is told")
    os.unlink(filler(world))
    freed = time.time()
    world.wait_state("TocsinStateFull", "OK", 90)
    wait_for(lambda: bodies(hook, status="firing"), 60, "people were told of the alarm")
    told_s = min(entry.time for entry in hook.at("/hook") if entry.json["status"] == "firing") - freed
    print(f"figure: an alarm that fired on a disk full for {freed - full:.0f} s was told {told_s:.1f} s after there was room again, nothing lost")
    last_bad = hook.at("/ping/fail")[-1].time
    wait_for(lambda: [beat for beat in hook.at("/ping") if beat.time > last_bad], 40, "all is well again")


run(scenario)
