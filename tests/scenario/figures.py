"""What the scenarios about robustness measure, and the line in which each tells it."""

import os
import time

STALL_PROMISED_S = 0.1  # of one turn of the loop
SLOWER = 10  # how much slower than promised a busy machine or a sanitizer may make it


def metric(world, name, **labels):
    """The value of one series, 0 where there is none."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    for line in world.api("/metrics")[1].splitlines():
        series, _, value = line.rpartition(" ")
        if series.partition("{")[0] == name and all(label in series for label in wanted):
            return float(value)
    return 0.0


def longest_turn_s(world):
    """The loop's longest turn since the start; it must have been short."""
    stall_s = metric(world, "tocsin_loop_stall_seconds")
    if not 0 < stall_s < STALL_PROMISED_S * SLOWER:
        raise AssertionError(f"the loop stood still for {stall_s:.3f} s")
    return stall_s


def longest_gap_s(world, since, **match):
    """The longest time without such a call of the simulator since then, the one that runs now included."""
    times = [since, *sorted(call["time"] for call in world.calls(**match) if call["time"] > since), time.time()]
    return max(later - earlier for earlier, later in zip(times, times[1:]))


def descriptors(world):
    """How many the daemon has open."""
    return len(os.listdir(f"/proc/{world.daemon.pid}/fd"))


def figure(text):
    print(f"figure: {text}", flush=True)
