#!/usr/bin/python3
"""The manual's own example of a plugin, outside the tree: built against the installed header by what pkg-config says,
laid where pkg-config says, loaded by the daemon, and a notification goes through it."""

import os
import re
import shutil
import subprocess

from pieces import LOAD_ALARM, QUICK_ROUTE, fire
from world import HERE, Skip, expect, run, wait_for

MANUAL = os.path.join(HERE, "..", "..", "man", "tocsin-plugin.7")


def example():
    with open(MANUAL, encoding="utf-8") as file:
        found = re.search(r"^\.Bd -literal[^\n]*\n(#include.*?)^\.Ed$", file.read(), re.M | re.S)
    expect(found and "tocsin_plugin" in found.group(1), "the manual shows a plugin")
    expect("\\" not in found.group(1), "as it stands, without an escape of mdoc's")
    return found.group(1)


def command(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300, **more)
    expect(done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def install(world):
    """meson install into a folder of its own; gives pkg-config's environment for what lies there."""
    for program in ("meson", "pkg-config", "cc"):
        if not shutil.which(program):
            raise Skip(f"no {program}")
    root = os.path.join(world.dir, "root")
    command("meson", "install", "-C", world.build, "--no-rebuild", "--quiet", "--destdir", root)
    places = [folder for folder, _, names in os.walk(root) if "tocsin.pc" in names]
    expect(len(places) == 1, f"tocsin.pc is installed once: {places}")
    return root, {**os.environ, "PKG_CONFIG_LIBDIR": places[0], "PKG_CONFIG_SYSROOT_DIR": root}


def build(world, root, env):
    source = os.path.join(world.dir, "logline.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write(example())
    # A header in the compiler's own folders is none of pkg-config's flags, unless it is asked for.
    flags = command("pkg-config", "--cflags", "tocsin", env={**env, "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1"}).split()
    expect(flags and all(flag.startswith(f"-I{root}") for flag in flags), f"the installed header alone: {flags}")
    folder = command("pkg-config", "--variable=plugindir", "tocsin", env=env)
    folder = folder if folder.startswith(root) else root + folder
    expect(os.path.exists(os.path.join(folder, "webhook.so")), f"the other plugins lie in {folder}")
    command("cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", *flags, "-o", f"{folder}/logline.so", source,
            cwd=world.dir)
    return folder


def scenario(world):
    root, env = install(world)
    world.env["TOCSIN_PLUGIN_DIR"] = build(world, root, env)
    world.simulator({})
    world.configure(LOAD_ALARM + QUICK_ROUTE + "\nreceivers: [{name: people, logline: {}}]\n")
    world.start()
    done = world.ctl("test-receiver", "people")
    expect(done.returncode == 0 and "delivered" in done.stdout, f"a test goes through it: {done}")
    fire(world)
    wait_for(lambda: [entry for entry in world.notifications("delivered") if entry["plugin"] == "logline"], 20,
             "a notification goes through it")
    expect("[FIRING:1] load" in world.log(), "and stands in the log")
    world.configure(LOAD_ALARM + QUICK_ROUTE + "\nreceivers: [{name: people, logline: {word: x}}]\n")
    expect("unknown key `word`" in world.check().stderr, "its keys are checked: it has none")


run(scenario)
