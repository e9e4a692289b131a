"""A daemon whose wall clock a test sets, by Debian's libfaketime; its other clocks and everybody else's stay true."""

import glob
import os

from world import Skip

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


class Fake:
    """Start the daemon with `wrapper`, then set() how far its wall clock is off, or at which time it stands."""

    def __init__(self, world, at="+0"):
        found = glob.glob(LIBRARY)
        if not found:
            raise Skip("libfaketime is not installed (package faketime)")
        with open(world.program("tocsind"), "rb") as program:
            if b"__asan_init" in program.read():
                raise Skip("a sanitizer and libfaketime both want to come first")
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


def figure(text):
    print(f"figure: {text}", flush=True)
