"""What the scenarios about robustness measure, and the line in which each tells it."""

import os
import time

# What a machine with ten times as much to do as it has processors makes of a turn of 40 ms was 1.3 s; whoever waits for a
# name, a connection or a handshake on the loop waits longer.
STALL_MAX_S, STALL_MAX_SANITIZED_S = 4, 10


def metric(world, name, **labels):
    """The value of one series, 0 where there is none."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    for line in world.api("/metrics")[1].splitlines():
        series, _, value = line.rpartition(" ")
        if series.partition("{")[0] == name and all(label in series for label in wanted):
            return float(value)
    return 0.0


def longest_turn_s(world):
    """The loop's longest turn since the start: 100 ms are promised where nothing else runs."""
    stall_s = metric(world, "tocsin_loop_stall_seconds")
    is_sanitized = "ASAN_OPTIONS" in world.env or "TSAN_OPTIONS" in world.env
    if not 0 < stall_s < (STALL_MAX_SANITIZED_S if is_sanitized else STALL_MAX_S):
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
