#!/usr/bin/python3
"""The notify protocol: READY once it is, RELOADING with a time, READY again, watchdog pings, STOPPING; SIGTERM and SIGINT."""

import os
import signal
import socket

from pieces import LOAD_ALARM
from world import expect, run, wait_for


def scenario(world):
    path = os.path.join(world.dir, "notify")
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(path)
    notify.settimeout(0.2)
    said = []

    def heard(word):
        try:
            while True:
                said.append(notify.recv(8192).decode())
        except socket.timeout:
            pass
        return [text for text in said if word in text]

    world.simulator({})
    world.configure(LOAD_ALARM)
    world.env.update({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"})
    world.start()
    wait_for(lambda: heard("READY=1"), 20, "READY")
    wait_for(lambda: len(heard("WATCHDOG=1")) >= 2, 20, "two pings of the watchdog")
    wait_for(lambda: heard("STATUS="), 20, "a status")
    for text in (LOAD_ALARM, LOAD_ALARM.replace("80", "many")):
        said.clear()
        world.configure(text)
        world.reload()
        wait_for(lambda: heard("RELOADING=1") and heard("READY=1"), 20, "RELOADING and READY, on a failure too")
        expect("MONOTONIC_USEC=" in heard("RELOADING=1")[0], f"with its time: {said}")
    world.stop(signal.SIGINT)
    expect(heard("STOPPING=1"), f"STOPPING: {said}")
    notify.close()


run(scenario)
