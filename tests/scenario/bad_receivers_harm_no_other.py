#!/usr/bin/python3
"""A Slack that answers 429, a PagerDuty that answers 400, a receiver whose answer is 100 MB and one with a certificate of
another name: each is told in clear words, nothing is lost, and who works is not kept waiting."""

from pieces import LOAD_ALARM, QUICK_ROUTE, fire
from world import expect, run, wait_for

KEY = "planted-routing-key-7744"
HUGE = "x" * 100_000_000
WAIT_S = 2
TEMPLATE = '{"what": "{{ subject }}", "all": ["{{ each alerts }}", {"team": "{{ labels.team }}", "v": "{{ annotations.value }}"}]}'


def of_load(hook, path, word="load"):
    """Tocsin's own alarm about the failing deliveries goes the same way, and is not what is counted here."""
    return [entry for entry in hook.at(path) if word in entry.body.decode() and "TocsinDelivery" not in entry.body.decode()]


def said(world, plugin_state, word):
    return [entry for entry in world.notifications(plugin_state) if word in str(entry["last_error"])]


def peak_kb(world):
    with open(f"/proc/{world.daemon.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def scenario(world):
    world.simulator({})
    hook, wrong = world.hook(), world.hook(certificate=world.ca().issue("other.example.org"))
    world.secret("slack-url", f"{hook.url}/slack")
    world.secret("pagerduty-key", KEY)
    hook.answer("/slack", count=1, status=429, headers={"Retry-After": str(WAIT_S)}, body="rate_limited")
    hook.answer("/pagerduty", status=400, body=f'{{"status":"invalid event","message":"no {KEY}"}}')
    hook.answer("/huge", body=HUGE)
    world.configure(LOAD_ALARM + QUICK_ROUTE + f"""
receivers:
  - name: people
    webhook:
      - {{url_file: slack-url, format: slack}}
      - {{url: "{hook.url}/pagerduty", format: pagerduty, routing_key_file: pagerduty-key}}
      - {{url: "{hook.url}/huge"}}
      - {{url: "{wrong.url}/wrong", ca_file: "{world.ca().ca_file}"}}
      - {{url: "{hook.url}/teams", format: teams}}
      - url: "{hook.url}/own"
        format: template
        template: |
          {TEMPLATE}
""")
    world.start()
    before_kb = peak_kb(world)
    fire(world)
    for path in ("/teams", "/own"):
        wait_for(lambda: of_load(hook, path), 15, f"who works is told at once: {path}")
    card = of_load(hook, "/teams")[0].json["attachments"][0]
    expect(card["contentType"] == "application/vnd.microsoft.card.adaptive", f"an Adaptive Card: {card}")
    own = of_load(hook, "/own")[0].json
    expect(own == {"what": "[FIRING:1] load (default eu-west-1)", "all": [{"team": "shop", "v": "95"}]}, f"own: {own}")

    wait_for(lambda: len(of_load(hook, "/slack")) >= 2, 30, "Slack is asked again")
    first, second = of_load(hook, "/slack")[:2]
    expect(second.time - first.time >= WAIT_S, f"and not before it said: {second.time - first.time}")
    expect(first.body == second.body and first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"], "the same")
    blocks = first.json["blocks"]
    expect(first.json["text"] and blocks[0]["type"] == "header" and blocks[1]["text"]["type"] == "plain_text", f"{blocks}")

    event = wait_for(lambda: of_load(hook, "/pagerduty"), 20, "PagerDuty is asked")[0].json
    expect(event["routing_key"] == KEY and event["event_action"] == "trigger" and len(event["dedup_key"]) == 16
           and event["payload"]["severity"] == "critical", f"the event: {event}")
    parked = wait_for(lambda: said(world, "parked", "400"), 20, "what PagerDuty refuses is parked")[0]
    expect("invalid event" in parked["last_error"], f"with its words: {parked}")
    wait_for(lambda: of_load(hook, "/huge"), 20, "the talkative one is asked")
    wait_for(lambda: len(world.notifications("delivered")) >= 4, 30, "it took the message, and so did the others")
    waiting = wait_for(lambda: said(world, "pending", "certificate"), 30, "the wrong name is told")[0]
    expect("127.0.0.1" in waiting["last_error"] and "for DNS:other.example.org" in waiting["last_error"],
           f"with the host that was wanted, and whose the certificate is: {waiting}")
    expect(not wrong.hooks, "and nothing was said to it")
    grown_kb = peak_kb(world) - before_kb
    expect(grown_kb < 60_000, f"100 MB were not kept: the daemon grew by {grown_kb} kB at most")
    print(f"figure: an answer of 100 MB makes the daemon {grown_kb} kB larger for a moment")

    hook.heal("/pagerduty")
    expect(world.ctl("notifications", "retry", str(parked["id"])).returncode == 0, "retry by hand")
    wait_for(lambda: any(entry["id"] == parked["id"] for entry in world.notifications("delivered")), 20, "it goes after all")
    world.expect_no_secret(KEY, f"{hook.url}/slack")


run(scenario)
