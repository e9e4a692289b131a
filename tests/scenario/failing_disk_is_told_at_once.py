#!/usr/bin/python3
"""A disk that fails a sync or a write ends the daemon at once, before anything is told that is not on disk, and nothing is
lost when it is started again; one write without room ends nothing. A state directory that cannot be written is told in
words, at the start."""

import os
import subprocess
import time

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, fire, hook_receiver
from world import Skip, expect, run, wait_for

# what fails the next time -> does the daemon end?
FAULTS = (("fdatasync", "EIO", True), ("pwrite64", "EIO", True), ("pwrite64", "ENOSPC", False), ("fdatasync", "EIO", True))
ALARMS = "alarms:\n" + "".join(LOAD_ALARM.partition("alarms:\n")[2].replace("name: load", f"name: load-{number}").replace(
    "metric_name: Load", f"metric_name: Load{number}") for number in range(len(FAULTS)))


def attach(world, call, error):
    """From now on `call` of any of the daemon's threads fails once; the tracer."""
    tracer = subprocess.Popen(["strace", "-f", "-p", str(world.daemon.pid), "-o", os.path.join(world.dir, "trace"), "-e",
                               f"trace={call}", "-e", f"inject={call}:error={error}:when=1"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    world.stack.callback(lambda: tracer.poll() is None and tracer.kill())
    line = tracer.stderr.readline()
    if "attached" not in line:
        tracer.wait()
        raise Skip(f"strace cannot attach here: {line.strip()}")
    return tracer


def injected(world):
    """When the fault was injected, as far as the trace shows."""
    try:
        with open(os.path.join(world.dir, "trace"), encoding="utf-8") as file:
            return "INJECTED" in file.read()
    except OSError:
        return False


def told(hook, name):
    return [body for body in bodies(hook, status="firing") if body["groupLabels"]["alertname"] == name]


def suffer(world, hook, number):
    """One alarm under one fault; how long the daemon lived after it, in seconds."""
    (call, error, ends), name, life_s = FAULTS[number], f"load-{number}", None
    world.start()
    world.wait_state(name, "OK")
    tracer = attach(world, call, error)
    world.push(95, name=f"Load{number}")
    wait_for(lambda: injected(world), 40, f"{call} fails")
    began = time.monotonic()
    if ends:
        status = world.daemon.wait(20)
        life_s = time.monotonic() - began
        expect(status == 1, f"{call} {error}: it ended with {status}")
        expect("exiting at once" in world.log() and "disk I/O error" in world.log(), "and says why")
        world.daemon = None
    tracer.terminate()
    tracer.wait(10)
    os.unlink(os.path.join(world.dir, "trace"))
    if ends:
        world.start()
    wait_for(lambda: told(hook, name), 40, f"{call} {error}: it is told")
    wait_for(lambda: not world.notifications("pending") and not world.notifications("sending"), 20, "nothing is owed")
    world.stop()
    return life_s


def read_only(world):
    """A state directory on a file system that is mounted read-only, with a state file inside and without."""
    for folder in ("state", "empty"):
        path = os.path.join(world.dir, folder)
        os.makedirs(path, mode=0o700, exist_ok=True)
        world.configure(LOAD_ALARM, state={"directory": path})
        done = world.run_program(["unshare", "-m", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"',
                                  path, world.program("tocsind"), "-c", world.config_file])
        expect(done.returncode == 1, f"read-only: {done}")
        expect(path in done.stderr and "Read-only file system" in done.stderr, f"it says what and why: {done.stderr}")


def scenario(world):
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        raise Skip("no mount namespace of one's own here (it takes root)")
    for name in ("ASAN_OPTIONS", "LSAN_OPTIONS"):  # a traced process cannot be searched for leaks
        world.env[name] = (world.env.get(name, "") + ":detect_leaks=0").lstrip(":")
    world.simulator({})
    hook = world.hook()
    world.configure(ALARMS + QUICK_ROUTE + hook_receiver(hook.url))
    lives = [suffer(world, hook, number) for number in range(len(FAULTS))]
    ids = [entry.headers["Idempotency-Key"] for entry in hook.hooks]
    expect(len(ids) - len(set(ids)) <= sum(ends for _, _, ends in FAULTS), "what was in flight alone may come twice")
    read_only(world)
    slowest = max(life for life in lives if life is not None)
    print(f"figure: {len(FAULTS)} faults of the disk at work: the daemon ended within {slowest * 1000:.0f} ms of EIO and told all "
          "after its restart; a read-only directory is told in words")


run(scenario)
