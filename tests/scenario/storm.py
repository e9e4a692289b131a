"""What the two storms share: a fast fixed responder in place of AWS and of the receivers, and figures of the daemon."""

import json
import os
import subprocess
import threading
import time
import urllib.request

from world import Skip, expect

MEMORY_MAX_MIB = 256
FIRST_PAGE_MAX_S = 60
A_FILE = 1000  # alarms: a file of the configuration is bounded


class Responder:
    """tests/bench/metric_responder; what came to /hook is kept as (monotonic s, body) in the order in which it came."""

    def __init__(self, world, series=0):
        self.path, self.read_bytes, self.hooks = os.path.join(world.dir, "hooks"), 0, []
        program = os.path.join(world.build, "tests", "bench", "metric_responder")
        if not os.path.exists(program):
            raise Skip(f"{program} is not built")
        self.process = subprocess.Popen([program, str(series), self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        world.stack.callback(self.close)
        world.sim_port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{world.sim_port}"

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def ask(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def look(self):
        """Reads what came since the last look; all that came."""
        with open(self.path, "rb") as file:
            file.seek(self.read_bytes)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.read_bytes += len(line)
                at, _, body = line.partition(b" ")
                self.hooks.append((float(at), json.loads(body)))
        return self.hooks


class Peak:
    """The most memory that the daemon had resident, over its restarts; looked at every tenth of a second."""

    def __init__(self, world):
        self.world, self.mib, self.is_over = world, 0, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        world.stack.callback(self.close)

    def close(self):
        self.is_over.set()
        self.thread.join(10)

    def _run(self):
        while not self.is_over.wait(0.1):
            daemon = self.world.daemon
            try:
                with open(f"/proc/{daemon.pid}/status", encoding="ascii") as file:
                    kib = next((int(line.split()[1]) for line in file if line.startswith("VmHWM:")), 0)
                self.mib = max(self.mib, kib / 1024)
            except (AttributeError, OSError):
                pass


def metric(world, name):
    """The sum of a metric over its labels; 0 where it is not there."""
    text = world.api("/metrics")[1]
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return sum(float(value) for head, value in lines if head.partition("{")[0] == name)


def told(hooks):
    """Group key -> how many alerts its newest message says are firing, named or counted in it."""
    newest = {}
    for _, body in hooks:
        firing = sum(alert["status"] == "firing" for alert in body["alerts"])
        newest[body["groupKey"]] = firing + (body["truncatedAlerts"] if firing else 0)
    return newest


def is_sanitized(world):
    """Sanitizers keep freed memory, and more beside each piece: what the program itself takes is not seen there."""
    with open(world.program("tocsind"), "rb") as file:
        return b"__asan_init" in file.read()


def expect_small(world, peak):
    if not is_sanitized(world):
        expect(peak.mib < MEMORY_MAX_MIB, f"{peak.mib:.0f} MiB resident at the peak, not under {MEMORY_MAX_MIB}")


def now():
    return time.monotonic()
