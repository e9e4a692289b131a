#!/usr/bin/python3
"""Answers cut short, garbage, 100 MB, bombs, resets and HTML: the state stays, memory is bounded, the next poll is good."""

from pieces import LOAD_ALARM, fire
from world import expect, run, wait_for

FAULTS = [
    {"truncate": 60}, {"garbage": 5000}, {"huge": 100_000_000}, {"gzip_bomb": 100_000_000}, {"close": True}, {"reset": True},
    {"status": 500}, {"status": 200, "body": "<html>hello</html>"}, {"status": 200, "body": ""},
    {"status": 200, "body": "[" * 100_000}, {"status": 200, "body": '{"MetricDataResults":[{"Id":"m0"}]}'},
    {"status": 200, "body": '{"MetricDataResults":null}'},
    {"results": [{"status": "InternalError", "metric": "Load"}]}, {"results": [{"status": "Forbidden", "metric": "Load"}]},
]
RSS_MAX_KB = 300_000  # far below the 100 MB answer held once more than the daemon's own


def resident_kb(world):
    with open(f"/proc/{world.daemon.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def token_twice(world):
    """A token that repeats ends the reading, and the source says so; what was complete by then is judged, not blind."""
    def last_error():
        return str(world.get("/v1/sources")["sources"][0]["last_error"])
    world.fault({"repeat_token": True}, operation="GetMetricData")
    wait_for(lambda: "token twice" in last_error(), 60, "the source tells of a token that came twice")
    world.wait_state("TocsinSourceFailing", "ALARM")
    load = world.instances("load")[0]
    expect(load["state"] == "ALARM" and not load["evaluation_error"], f"the metric that came whole is judged: {load}")
    world.heal()
    world.wait_state("TocsinSourceFailing", "OK")


def scenario(world):
    world.simulator({})
    world.configure(LOAD_ALARM)
    world.start()
    fire(world)
    before = resident_kb(world)
    for do in FAULTS:
        world.fault(do, operation="GetMetricData")
        wait_for(lambda: world.instances("load")[0]["evaluation_error"], 60, f"the alarm says it is blind under {str(do)[:60]}")
        expect(world.state("load") == "ALARM", f"{str(do)[:60]} changed the state")
        world.heal()
        wait_for(lambda: world.instances("load")[0]["evaluation_error"] is None, 60, f"the alarm sees again after {str(do)[:60]}")
    token_twice(world)
    grown = resident_kb(world) - before
    limit = RSS_MAX_KB if "LSAN_OPTIONS" not in world.env and "ASAN_OPTIONS" not in world.env else 10 * RSS_MAX_KB
    expect(grown < limit, f"{grown} KB more in memory")
    names = {entry["name"] for entry in world.get("/v1/history")["transitions"] if entry["to"] != "ALARM"}
    expect("load" not in names, "no transition was invented")


run(scenario)
