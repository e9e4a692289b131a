"""The tests' side at /_sim/: what was called, and what shall be from now on."""

from .when import duration, instant
from .xray_world import xray_from


def _calls(sim, query, _body):
    wanted = {name: value for name, value in query.items() if name in ("service", "operation", "account", "region")}
    since = float(query.get("since", 0))
    found = [call for call in list(sim.world.calls)
             if call["time"] >= since and all(str(call[name]) == value for name, value in wanted.items())]
    return {"count": len(found), "calls": found[-int(query.get("limit", 1000)):]}


def _forget(sim, _query, _body):
    count = len(sim.world.calls)
    sim.world.calls.clear()
    return {"forgotten": count}


def _push(sim, _query, body):
    entries = body if isinstance(body, list) else [body]
    now = sim.world.clock.now()
    return {"points": sum(sim.world.book.push(entry, now) for entry in entries)}


def _move_clock(sim, _query, body):
    sim.world.clock.offset = duration(body["offset"])
    return {"now": sim.world.clock.now(), "offset": sim.world.clock.offset}


def _metrics(sim, _query, _body):
    return {"metrics": [{"account": key[0], "region": key[1], "namespace": key[2], "name": key[3],
                         "dimensions": dict(key[4])} for key in list(sim.world.book.metrics)]}


def _xray(sim, _query, body):
    """Replaces what X-Ray shows; durations count from now on unless the body has a `start`."""
    now = sim.world.clock.now()
    body = dict(body or {})
    start = instant(body.pop("start", now), now)
    sim.world.xray = xray_from(body, sim.world.folder, start, sim.world.seed)
    return {"start": start, "graphs": len(sim.world.xray.graphs), "traces": len(sim.world.xray.traces),
            "insights": len(sim.world.xray.insights)}


# (method, name) -> function of the simulator, the query's values and the JSON body
ADMIN = {
    ("GET", "health"): lambda sim, query, body: {"ok": True, "start": sim.world.start, "now": sim.world.clock.now()},
    ("GET", "calls"): _calls,
    ("DELETE", "calls"): _forget,
    ("GET", "faults"): lambda sim, query, body: {"faults": sim.faults.show()},
    ("POST", "faults"): lambda sim, query, body: {"ids": sim.faults.add(body if isinstance(body, list) else [body])},
    ("DELETE", "faults"): lambda sim, query, body: {
        "removed": sim.faults.clear(int(query["id"]) if "id" in query else None)},
    ("POST", "points"): _push,
    ("GET", "published"): lambda sim, query, body: {"messages": list(sim.world.published)},
    ("DELETE", "published"): lambda sim, query, body: {"forgotten": sim.world.published.clear()},
    ("GET", "metrics"): _metrics,
    ("GET", "clock"): lambda sim, query, body: {"now": sim.world.clock.now(), "offset": sim.world.clock.offset},
    ("POST", "clock"): _move_clock,
    ("POST", "expire"): lambda sim, query, body: {"expired": sim.world.expire_sessions()},
    ("POST", "xray"): _xray,
    ("POST", "events"): lambda sim, query, body: {"ids": sim.world.trail.post(body, sim.world.clock.now())},
    ("GET", "events"): lambda sim, query, body: {"events": sim.world.trail.count(sim.world.clock.now())},
    ("DELETE", "events"): lambda sim, query, body: {"forgotten": sim.world.trail.forget()},
    ("DELETE", "xray"): lambda sim, query, body: _xray(sim, query, None),
}
