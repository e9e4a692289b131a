"""A daemon whose wall clock a test sets, by Debian's libfaketime; its other clocks and everybody else's stay true. And
what its scenarios watch: metrics that are always good and always bad, and alarms on them."""

import glob
import mmap
import os

from world import Skip

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
METRICS = {"metrics": [{"namespace": "Test", "name": name, "series": value}
                       for name, value in (("Good", 1), ("Bad", 95))]}


def alarm(name, metric, missing, more="", periods=2):
    return (f"  - name: {name}\n    metric: {{namespace: Test, metric_name: {metric}, statistic: Average, period: 60}}\n"
            f"    comparison_operator: '>'\n    threshold: 80\n    evaluation_periods: {periods}\n    settle: 1s\n"
            f"    treat_missing_data: {missing}\n{more}")


def states(world):
    return {entry["name"]: entry["state"] for entry in world.instances() if entry["source"] != "tocsin"}


def refuse_sanitizers(world):
    with open(world.program("tocsind"), "rb") as program:
        if b"__asan_init" in program.read():
            raise Skip("a sanitizer wants to be loaded before all others")


class Fake:
    """Start the daemon with `wrapper`, then set() how far its wall clock is off, or at which time it stands."""

    def __init__(self, world, at="+0"):
        found = glob.glob(LIBRARY)
        if not found:
            raise Skip("libfaketime is not installed (package faketime)")
        refuse_sanitizers(world)
        self.path = os.path.join(world.dir, "faketime")
        self._write(at)
        self.wrapper = ("/usr/bin/env", f"LD_PRELOAD={found[0]}", f"FAKETIME_TIMESTAMP_FILE={self.path}",
                        "FAKETIME_NO_CACHE=1", "FAKETIME_FORCE_MONOTONIC_FIX=1", "FAKETIME_DONT_FAKE_MONOTONIC=1")

    def set(self, seconds):
        self._write(f"{seconds:+d}")

    def stand_at(self, text):
        """The clock goes on from `YYYY-MM-DD hh:mm:ss`, in UTC."""
        self._write(f"@{text}")

    def _write(self, text):
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write(text + "\n")
        os.replace(self.path + ".new", self.path)


class Sleeper:
    """Start the daemon with `wrapper`: sleep() is a suspend of its machine that is over at once."""

    def __init__(self, world):
        refuse_sanitizers(world)
        library = os.path.join(world.build, "tests", "scenario", "suspend.so")
        if not os.path.exists(library):
            raise Skip(f"{library} is not built")
        path = os.path.join(world.dir, "suspended")
        with open(path, "wb") as file:
            file.write(b"0".ljust(16, b"\0"))
        self.file = open(path, "r+b")
        world.stack.callback(self.file.close)
        self.wrapper = ("/usr/bin/env", f"LD_PRELOAD={library}", f"SUSPENDED={path}")

    def sleep(self, seconds):
        with mmap.mmap(self.file.fileno(), 16) as mapped:
            mapped[:] = str(seconds).encode().ljust(16, b"\0")
