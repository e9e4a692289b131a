#!/usr/bin/python3
"""A mail server that accepts and says nothing, and one that is not there: the webhook hears at once, the mails wait."""

from catchers import free_port, silent_port
from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, clear, fire
from world import expect, run, wait_for


def scenario(world):
    world.simulator({})
    hook = world.hook()
    deaf, port = silent_port()
    world.stack.callback(deaf.close)
    world.configure(LOAD_ALARM + QUICK_ROUTE + f"""
receivers:
  - name: people
    email:
      - {{to: [a@example.org], from: t@example.org, smarthost: "127.0.0.1:{port}", require_tls: false}}
      - {{to: [b@example.org], from: t@example.org, smarthost: "127.0.0.1:{free_port()}", require_tls: false}}
    webhook: {{url: "{hook.url}/hook"}}
""")
    world.start()
    fire(world)
    wait_for(lambda: bodies(hook, status="firing"), 10, "the webhook's firing")
    clear(world)
    wait_for(lambda: bodies(hook, status="resolved"), 10, "the webhook's resolved")
    mails = [entry for entry in world.notifications() if entry["plugin"] == "email"]
    expect(mails and all(entry["state"] in ("pending", "sending") for entry in mails), f"the mails wait: {mails}")
    wait_for(lambda: [entry for entry in world.notifications() if entry["plugin"] == "email" and entry["last_error"]], 60,
             "a mail says why it waits")


run(scenario)
