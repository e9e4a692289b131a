#!/usr/bin/python3
"""What the daemon costs with many metric alarms, each on a metric of its own, and with none: one command, figures printed.

    tests/bench/metrics.py build                    two minutes; a fast fixed responder answers, not the simulator

With alarms: the start without and with a state file, calls and CPU a cycle, memory, the time from an answer that breaches to its
notification. With none: CPU, wake-ups and memory. CPU is user and system time of all threads: on a busy machine believe it, not
what is measured by the clock."""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")
A_FILE = 1000  # alarms: a file of the configuration is bounded
AIMS = {"calls a cycle": 20, "CPU s a cycle": 0.15, "RSS MiB": 40, "start s": 0.3, "start with state s": 0.3, "idle CPU %": 0.05,
        "idle wake-ups a s": 2, "idle RssAnon MiB": 6}


def alarm(number):
    name = "hot" if number == 0 else f"i-{number:05}"
    return (f"  - name: a{number:05}\n    metric: {{namespace: Bench, metric_name: M, dimensions: {{Host: {name}}}, "
            f"statistic: Maximum, period: 60}}\n    comparison_operator: '>'\n    threshold: 50\n    evaluation_periods: 3\n"
            f"    datapoints_to_alarm: 1\n")


def configure(folder, port, alarms, every):
    for first in range(0, alarms, A_FILE):
        with open(os.path.join(folder, f"alarms-{first:05}.yaml"), "w", encoding="utf-8") as file:
            file.write("alarms:\n" + "".join(map(alarm, range(first, min(first + A_FILE, alarms)))))
    with open(os.path.join(folder, "tocsin.yaml"), "w", encoding="utf-8") as file:
        file.write("include: [alarms-*.yaml]\n" if alarms else "")
        file.write(f"aws: {{region: eu-west-1, endpoint_url: 'http://127.0.0.1:{port}'}}\n"
                   f"poll: {{cloudwatch: {{every: {every}s}}}}\ncontrol: {{socket: {folder}/sock}}\n"
                   f"log: {{level: warning}}\nreceivers: [{{name: r, webhook: {{url: 'http://127.0.0.1:{port}/hook'}}}}]\n"
                   f"route: {{receiver: r, group_wait: 0s}}\n")


class Daemon:
    """The real daemon; `ready_s` is the time from its start to READY=1, `ready_cpu_s` the CPU that it took."""

    def __init__(self, build, folder, wrapper=()):
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(os.path.join(folder, "notify"))
        notify.settimeout(60)
        environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "AWS_ACCESS_KEY_ID": "AKIABENCH", "AWS_SECRET_ACCESS_KEY": "s",
                       "AWS_EC2_METADATA_DISABLED": "true", "STATE_DIRECTORY": os.path.join(folder, "state"),
                       "TOCSIN_PLUGIN_DIR": os.path.join(build, "plugins"), "NOTIFY_SOCKET": os.path.join(folder, "notify")}
        began = time.monotonic()
        self.process = subprocess.Popen([*wrapper, os.path.join(build, "daemon", "tocsind"), "-c",
                                         os.path.join(folder, "tocsin.yaml")], env=environment)
        while b"READY=1" not in notify.recv(4096):
            pass
        self.ready_s, self.ready_cpu_s = time.monotonic() - began, self.cpu_s()
        notify.close()
        os.unlink(os.path.join(folder, "notify"))

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def status(self, path, key):
        with open(path, encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(key + ":"))

    def memory_mib(self, key):
        return self.status(f"/proc/{self.process.pid}/status", key) / 1024

    def wakeups(self):
        tasks = f"/proc/{self.process.pid}/task"
        return sum(self.status(f"{tasks}/{task}/status", "voluntary_ctxt_switches") for task in os.listdir(tasks))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def ask(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def show(name, value, digits=2):
    aim = f"   (aim: at most {AIMS[name]})" if name in AIMS else ""
    print(f"{name:<28} {value:12.{digits}f}{aim}", flush=True)


def show_start(daemon, name):
    show(f"{name} s", daemon.ready_s)
    show(f"{name} CPU s", daemon.ready_cpu_s)


def measure_cycles(daemon, port, options):
    time.sleep(10 + options.every)  # the first polls, and everything is OK for the first time
    before, cpu = ask(port, "/stats"), daemon.cpu_s()
    time.sleep(options.every * options.cycles)
    after, cpu = ask(port, "/stats"), daemon.cpu_s() - cpu
    for name, key in (("calls a cycle", "calls"), ("metrics a cycle", "metrics"), ("datapoints a cycle", "datapoints")):
        show(name, (after[key] - before[key]) / options.cycles, 1)
    show("MB answered a cycle", (after["bytes"] - before["bytes"]) / options.cycles / 1e6)
    show("CPU s a cycle", cpu / options.cycles, 3)
    show("RSS MiB", daemon.memory_mib("VmRSS"))
    show("RssAnon MiB", daemon.memory_mib("RssAnon"))
    show("peak RSS MiB", daemon.memory_mib("VmHWM"))
    ask(port, "/hot")
    end = time.monotonic() + 3 * options.every + 10
    while time.monotonic() < end and not ask(port, "/stats")["answer_to_notification_s"]:
        time.sleep(0.2)
    show("answer to notification ms", ask(port, "/stats")["answer_to_notification_s"] * 1000, 1)


def measure_idle(daemon, options):
    time.sleep(5)
    cpu, wakeups = daemon.cpu_s(), daemon.wakeups()
    time.sleep(options.idle)
    show("idle CPU %", 100 * (daemon.cpu_s() - cpu) / options.idle)
    show("idle wake-ups a s", (daemon.wakeups() - wakeups) / options.idle)
    show("idle RSS MiB", daemon.memory_mib("VmRSS"))
    show("idle RssAnon MiB", daemon.memory_mib("RssAnon"))


def with_daemon(build, port, options, alarms, measure):
    folder = tempfile.mkdtemp(prefix="tocsin-bench-")
    try:
        os.mkdir(os.path.join(folder, "state"), 0o700)
        configure(folder, port, alarms, options.every)
        print(f"\n{alarms} alarms" + (f", a cycle every {options.every} s, {options.cycles} cycles" if alarms else ""))
        daemon = Daemon(build, folder, options.wrapper.split())
        try:
            show_start(daemon, "start")
            measure(daemon)
        finally:
            daemon.stop()
        if alarms:
            again = Daemon(build, folder)
            show_start(again, "start with state")
            again.stop()
    finally:
        if options.keep:
            print(folder)
        else:
            shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--alarms", type=int, default=10000)
    parser.add_argument("--every", type=int, default=15, help="seconds a cycle (default %(default)s)")
    parser.add_argument("--cycles", type=int, default=3)
    parser.add_argument("--idle", type=int, default=20, help="seconds to be idle (default %(default)s)")
    parser.add_argument("--wrapper", default="", help="a command to run the daemon under")
    parser.add_argument("--keep", action="store_true", help="leave the daemon's folder")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    responder = subprocess.Popen([os.path.join(build, "tests", "bench", "metric_responder")], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
    try:
        port = int(responder.stdout.readline())
        with_daemon(build, port, options, options.alarms, lambda daemon: measure_cycles(daemon, port, options))
        with_daemon(build, port, options, 0, lambda daemon: measure_idle(daemon, options))
    finally:
        responder.stdin.close()
        responder.wait(10)
    return 0


if __name__ == "__main__":
    sys.exit(main())
