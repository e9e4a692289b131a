#!/usr/bin/python3
"""What each answer of a receiver means: delivered, tried again with the same id and bytes, or parked and kept."""

from pieces import LOAD_ALARM, QUICK_ROUTE, fire
from world import expect, run, wait_for

PATHS = {  # path -> (script, the row's state, tries at least)
    "/ok": ({"status": 204}, "delivered", 1),
    "/busy": ({"status": 503, "headers": {"Retry-After": "1"}, "count": 1}, "delivered", 2),
    "/many": ({"status": 429, "headers": {"Retry-After": "1"}, "count": 1}, "delivered", 2),
    "/slow": ({"status": 408, "count": 1}, "delivered", 2),
    "/cut": ({"hang": True, "count": 0}, "delivered", 1),
    "/bad": ({"status": 400, "body": "no such channel"}, "parked", 1),
    "/moved": ({"status": 302, "headers": {"Location": "http://elsewhere.example.org/x"}}, "parked", 1),
    "/gone": ({"status": 410}, "parked", 1),
}




def scenario(world):
    world.simulator({})
    hook, mail = world.hook(), world.mail()
    for path, (script, _, _) in PATHS.items():
        script = dict(script)
        hook.answer(path, count=script.pop("count", 1 << 30), **script)
    names = [path[1:] for path in PATHS]
    alarms = LOAD_ALARM
    receivers = "".join(f'    - {{url: "{hook.url}/{name}"}}\n' for name in names)
    mail.reply("RCPT", "550 no such user")
    world.configure(alarms + QUICK_ROUTE + f"""
receivers:
  - name: people
    email: {{to: [a@example.org], from: t@example.org, smarthost: "{mail.address}", require_tls: false}}
    webhook:
{receivers}""")
    world.start()
    fire(world)
    for path, (_, state, tries) in PATHS.items():
        wait_for(lambda: len(hook.at(path)) >= tries, 30, f"{tries} tries at {path}")
        hooks = hook.at(path)
        expect(len({entry.headers["Idempotency-Key"] for entry in hooks}) == 1, f"one id for all tries at {path}")
        expect(len({entry.body for entry in hooks}) == 1, f"the same bytes at each try at {path}")
    parked = sum(1 for _, state, _ in PATHS.values() if state == "parked") + 1
    wait_for(lambda: len(world.notifications("parked")) == parked, 30, f"{parked} rows are parked")
    errors = " ".join(str(entry["last_error"]) for entry in world.notifications("parked"))
    for word in ("400", "no such channel", "elsewhere.example.org", "410", "550"):
        expect(word in errors, f"`{word}` stands in what the parked rows say: {errors}")
    world.wait_state("TocsinDeliveryFailing", "ALARM")
    expect(len([entry for entry in world.notifications("delivered")]) >= 5, "the others are delivered")

    hook.heal("/bad")
    mail.heal()
    for entry in [entry for entry in world.notifications("parked") if "400" in str(entry["last_error"])
                  or entry["plugin"] == "email"]:
        done = world.ctl("notifications", "retry", str(entry["id"]))
        expect(done.returncode == 0, f"retry by hand: {done}")
    wait_for(lambda: len(world.notifications("parked")) <= parked - 2 + 1, 30, "two go after all")
    wait_for(lambda: mail.mails, 30, "the mail comes")
    gone = next(entry for entry in world.notifications("parked") if "410" in str(entry["last_error"]))
    expect(world.ctl("notifications", "discard", str(gone["id"])).returncode == 0, "discard by hand")
    wait_for(lambda: any(entry["id"] == gone["id"] for entry in world.notifications("discarded")), 10, "it is discarded")


run(scenario)
