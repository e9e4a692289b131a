#!/usr/bin/python3
"""A start that cannot work says why, exits 1 and touches nothing: config, plugin, socket, lock, state file."""

import hashlib
import os
import sqlite3
import subprocess

from pieces import LOAD_ALARM, QUICK_ROUTE, hook_receiver
from world import expect, run

NEWER = 9999


def refused(world, *words, config=None):
    """Starts a daemon that must not come up; what it said."""
    done = subprocess.run([world.program("tocsind"), "-c", config or world.config_file], env=world.env, cwd=world.dir, timeout=60,
                          capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
    said = done.stdout + done.stderr
    expect(done.returncode == 1, f"exit {done.returncode}, not 1: {said}")
    for word in words:
        expect(word in said, f"`{word}` stands in: {said}")
    return said


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def scenario(world):
    world.simulator({})
    hook = world.hook()
    good = LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url)

    world.configure(good.replace("webhook:", "pigeon:"))
    refused(world, "tocsin.yaml:", "pigeon")
    checked = world.check()
    expect(checked.returncode == 1 and "pigeon" in checked.stderr, f"--check: {checked}")
    world.configure(good.replace("threshold: 80", "threshhold: 80"))
    refused(world, "threshhold", "threshold")
    expect(not os.path.exists(world.state_dir), "a wrong file makes no state")
    world.configure(good.replace("alarms:", "composite: 1\nalarms:"))
    refused(world, "composite")
    world.configure(good.replace('/hook"', '/hook", bearer_token_file: absent-file'))
    expect("warning:" in world.check().stderr, "a secret's file that is absent is a warning for --check")
    refused(world, "absent-file")

    world.configure(good)
    world.start()
    refused(world, world.state_dir)
    other = os.path.join(world.dir, "other.yaml")
    world.configure(good, path=other, state={"directory": os.path.join(world.dir, "other-state")})
    refused(world, world.socket, config=other)
    expect(world.api("/readyz")[0] == 200, "the first daemon is unharmed")
    world.stop()

    files = [os.path.join(world.state_dir, name) for name in os.listdir(world.state_dir)]
    database = next(name for name in files if open(name, "rb").read(15) == b"SQLite format 3")
    connection = sqlite3.connect(database)
    usual = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute(f"PRAGMA user_version={NEWER}")
    connection.commit()
    connection.close()
    before = digest(database)
    refused(world, str(NEWER))
    expect(digest(database) == before, "a newer state file is left as it is")
    connection = sqlite3.connect(database)
    connection.execute(f"PRAGMA user_version={usual}")
    connection.commit()
    connection.close()
    world.start()


run(scenario)
