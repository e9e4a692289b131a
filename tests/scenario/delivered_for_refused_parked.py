#!/usr/bin/python3
"""What each answer of a receiver means: delivered, tried again with the same id and bytes, or parked and kept."""

from pieces import LOAD_ALARM, QUICK_ROUTE, fire
from world import expect, run, wait_for

PATHS = {  # path -> (script, the row's state, tries at least)
    "/ok": ({"status": 204}, "delivered", 1),
    "/busy": ({"status": 503, "headers": {"Retry-After": "1"}, "count": 1}, "delivered", 2),
    "/many": ({"status": 429, "headers": {"Retry-After": "1"}, "count": 1}, "delivered", 2),
    "/slow": ({"status": 408, "count": 1}, "delivered", 2),
    "/bad": ({"status": 400, "body": "no such channel"}, "parked", 1),
    "/moved": ({"status": 302, "headers": {"Location": "http://elsewhere.example.org/x"}}, "parked", 1),
    "/gone": ({"status": 410}, "parked", 1),
}



WORDS = ("400", "no such channel", "elsewhere.example.org", "410", "550")  # the receivers' own, and where one points to


def said(world, state):
    return " ".join(str(entry["last_error"]) for entry in world.notifications(state))


def about_load(hook, path):
    """Tocsin's own alarm about the failing deliveries goes the same way, and is not what is counted here."""
    return [entry for entry in hook.at(path) if entry.json["groupLabels"].get("alertname") == "load"]


def scenario(world):
    world.simulator({})
    hook, mail = world.hook(), world.mail()
    for path, (script, _, _) in PATHS.items():
        script = dict(script)
        hook.answer(path, count=script.pop("count", 1 << 30), **script)
    names = [path[1:] for path in PATHS]
    receivers = "".join(f'    - {{url: "{hook.url}/{name}"}}\n' for name in names)
    mail.reply("RCPT", "550 no such user")
    world.configure(LOAD_ALARM + QUICK_ROUTE + f"""
receivers:
  - name: people
    email: {{to: [a@example.org], from: t@example.org, smarthost: "{mail.address}", require_tls: false}}
    webhook:
{receivers}""")
    world.start()
    fire(world)
    for path, (_, state, tries) in PATHS.items():
        wait_for(lambda: len(about_load(hook, path)) >= tries, 30, f"{tries} tries at {path}")
        hooks = about_load(hook, path)
        expect(len({entry.headers["Idempotency-Key"] for entry in hooks}) == 1, f"one id for all tries at {path}")
        expect(len({entry.body for entry in hooks}) == 1, f"the same bytes at each try at {path}")
    wait_for(lambda: all(word in said(world, "parked") for word in WORDS), 30, f"what is parked says {WORDS}")
    world.wait_state("TocsinDeliveryFailing", "ALARM")
    delivered = sum(1 for _, state, _ in PATHS.values() if state == "delivered")
    wait_for(lambda: len(world.notifications("delivered")) >= delivered, 30, "the others are delivered")

    hook.heal("/bad")
    mail.heal()
    for entry in [entry for entry in world.notifications("parked") if WORDS[0] in entry["last_error"]
                  or entry["plugin"] == "email"]:
        done = world.ctl("notifications", "retry", str(entry["id"]))
        expect(done.returncode == 0, f"retry by hand: {done}")
    wait_for(lambda: WORDS[0] not in said(world, "parked") and mail.mails, 30, "they go after all")
    gone = next(entry for entry in world.notifications("parked") if "410" in str(entry["last_error"]))
    expect(world.ctl("notifications", "discard", str(gone["id"])).returncode == 0, "discard by hand")
    wait_for(lambda: any(entry["id"] == gone["id"] for entry in world.notifications("discarded")), 10, "it is discarded")


run(scenario)
