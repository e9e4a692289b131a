#!/usr/bin/python3
"""/metrics is Prometheus' text to the letter, has the names and labels that dashboards hang on, and counts true."""

import math
import re
import shutil
import subprocess

from pieces import LOAD_ALARM, fire
from world import REGION, expect, run, wait_for

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL.pattern},?)*)\}})? (\S+)")
ESCAPED = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}
NO_UNITS = ("_ms", "_milliseconds", "_minutes", "_hours", "_kb", "_mb", "_percent")
WANTED = {  # name -> (type, the labels that it has at least)
    "tocsin_build_info": ("gauge", {"version"}),
    "tocsin_config_last_reload_successful": ("gauge", set()),
    "tocsin_config_last_reload_success_timestamp_seconds": ("gauge", set()),
    "tocsin_notifications_total": ("counter", {"receiver"}),
    "tocsin_notifications_failed_total": ("counter", {"receiver", "reason"}),
    "tocsin_aws_requests_total": ("counter", {"service", "operation", "account", "region", "code"}),
    "tocsin_aws_billed_units_total": ("counter", {"account", "region"}),
    "process_start_time_seconds": ("gauge", set()),
    "process_cpu_seconds_total": ("counter", set()),
    "process_resident_memory_bytes": ("gauge", set()),
    "process_virtual_memory_bytes": ("gauge", set()),
    "process_open_fds": ("gauge", set()),
    "process_max_fds": ("gauge", set()),
}
AWKWARD = 'so "called" \\ thus'  # a receiver's name: quotes and a backslash must not end its label


def parse(text):
    """{name: (type, {labels: value})}, or a failure that names the line; stricter than Prometheus is."""
    families, current = {}, None
    expect(text.endswith("\n"), "the last line ends")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            expect(len(line.split(" ", 3)) == 4 and line.split(" ", 3)[3], f"its help says something: {line}")
            expect(re.fullmatch(NAME, current) and current not in families, f"a family stands once, in one place: {line}")
            families[current] = (None, {})
        elif line.startswith("# TYPE "):
            name, kind = line.split(" ")[2:]
            expect(name == current and kind in ("counter", "gauge") and not families[name][1], f"behind its help: {line}")
            families[name] = (kind, {})
        else:
            found = SAMPLE.fullmatch(line)
            expect(found and found[1] == current and families[current][0], f"a sample of the family above: {line}")
            pairs = LABEL.findall(found[2] or "")
            expect(",".join(f'{name}="{value}"' for name, value in pairs) == (found[2] or ""), f"labels: {line}")
            labels = frozenset((name, re.sub(r"\\.", lambda one: ESCAPED[one[0]], value)) for name, value in pairs)
            expect(len({name for name, _ in pairs}) == len(pairs) and labels not in families[current][1], f"once: {line}")
            families[current][1][labels] = float(found[found.re.groups])
    return families


def conventions(families):
    for name, (kind, samples) in families.items():
        expect(name.startswith(("tocsin_", "process_")), f"the prefix: {name}")
        expect((kind == "counter") == name.endswith("_total"), f"a counter ends in _total, a gauge does not: {name} {kind}")
        expect(not any(unit + end == name[-len(unit + end):] for unit in NO_UNITS for end in ("", "_total")), f"base units: {name}")
        expect(all(not math.isnan(value) and (value >= 0 or kind == "gauge") for value in samples.values()), f"values: {name}")
    for name, (kind, labels) in WANTED.items():
        expect(name in families and families[name][0] == kind, f"{name} is a {kind}: {families.get(name)}")
        for sample in families[name][1]:
            expect(labels <= dict(sample).keys(), f"{name} has {labels}: {sample}")
        expect(families[name][1], f"{name} has a value")


def value(families, name, **labels):
    return sum(number for found, number in families.get(name, (None, {}))[1].items() if labels.items() <= dict(found).items())


def metrics(world):
    status, text = world.api("/metrics")
    expect(status == 200, f"/metrics: {status}")
    return parse(text), text


def scenario(world):
    world.simulator({})
    hook = world.hook()
    hook.answer("/bad", status=400, body="no")
    world.configure(LOAD_ALARM + f"""
route: {{receiver: '{AWKWARD}', group_wait: 0s, group_interval: 1s}}
receivers:
  - name: '{AWKWARD}'
    webhook: [{{url: "{hook.url}/good"}}, {{url: "{hook.url}/bad"}}]
""")
    world.start()
    fire(world)
    wait_for(lambda: world.notifications("parked") and hook.at("/good"), 30, "one is taken, one is parked")
    families, text = metrics(world)
    conventions(families)
    expect(value(families, "tocsin_notifications_total", receiver=AWKWARD) >= 2, f"both are counted: {families}")
    expect(value(families, "tocsin_notifications_failed_total", receiver=AWKWARD) >= 1, "and the one that was refused")
    counted = value(families, "tocsin_aws_requests_total", operation="GetMetricData", account="default", region=REGION)
    made = len(world.calls(operation="GetMetricData"))
    expect(0 < counted <= made + 1, f"AWS's calls are counted: {counted} of {made}")
    with open(f"/proc/{world.daemon.pid}/stat", encoding="ascii") as file:
        pages = int(file.read().rsplit(")", 1)[1].split()[21])
    resident = value(families, "process_resident_memory_bytes")
    expect(pages * 4096 / 2 < resident < pages * 4096 * 2, f"the process' memory is its own: {resident}, {pages} pages")
    virtual, fds = value(families, "process_virtual_memory_bytes"), value(families, "process_open_fds")
    expect(resident < virtual and 3 < fds < value(families, "process_max_fds"), f"memory and descriptors: {virtual} {fds}")
    again, _ = metrics(world)
    for name, (kind, samples) in families.items():
        for labels, number in samples.items() if kind == "counter" else ():
            expect(again[name][1][labels] >= number, f"a counter never falls: {name} {labels}")
    print(f"figure: {len(families)} families of metrics, each as Prometheus wants it")
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False)
        expect(done.returncode == 0, f"promtool: {done.stdout}{done.stderr}")


run(scenario)
