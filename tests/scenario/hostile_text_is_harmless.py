#!/usr/bin/python3
"""Text that attackers chose, in each field that AWS hands on, in every sink: line breaks, terminal and bidi controls,
quotes, formats, templates, markup. What reaches a person or a program is that text and nothing more."""

import json
import os
import socket
import threading

from hostile_text import Page, PIECES, harm, hostile, in_xml, marks, strict_json, strings, wrong_metrics
from world import ACCOUNT, REGION, expect, run, wait_for

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:oncall"
RULE = """
    comparison_operator: ">"
    threshold: {}
    evaluation_periods: 1
    settle: 1s
"""
ALARMS = f"""
alarms:
  - name: faults
    severity: critical
    regions: [{REGION}]
    service_graph: {{service: "zq*", statistic: fault_rate, minimum_requests: 1}}{RULE.format(20)}
  - name: insights
    regions: [{REGION}]
    insights: {{group: shop}}
  - name: hosts
    regions: [{REGION}]
    metrics:
      - {{id: s, expression: "SEARCH('{{{{Shop,Host}}}} MetricName=\\"CPU\\"', 'Maximum')", label: "${{{{PROP('Dim.Host')}}}}"}}{RULE.format(80)}
  - name: query
    regions: [{REGION}]
    metrics:
      - {{id: q, expression: 'SELECT MAX(CPU) FROM SCHEMA("Shop", Host) GROUP BY Host'}}{RULE.format(80)}
  - name: trail
    regions: [{REGION}]
    events: {{detection: {{s: {{eventSource: hostile.amazonaws.com}}, condition: s}}, group-by: [userIdentity.userName, sourceIPAddress]}}
  - name: denied
    regions: [us-east-1]
    metric: {{namespace: Test, metric_name: Load, statistic: Average, period: 60}}{RULE.format(80)}
""".replace("{{", "{").replace("}}", "}")
TEMPLATE = {"text": "{{ subject }} and more", "whole": "{{ commonLabels }}", "alerts": ["{{ each alerts }}", {
    "labels": "{{ labels }}", "why": "because {{ annotations.reason }}", "notes": "{{ annotations }}"}]}
FIELDS = {"service", "type", "insight", "cause", "host", "agent", "event", "error", "address", "user", "param", "refusal"}
# Where all that a message says must have come out, and what elsewhere: a sink that nothing reached would show nothing.
MESSAGES = ("alertmanager", "alertmanager_api", "slack", "teams", "pagerduty", "template", "mail text", "mail html", "sns email",
            "sns sqs", "exec stdin", "ctl show")
REACHED = {**{sink: FIELDS - {"param", "publish"} for sink in MESSAGES}, "api": FIELDS, "ctl dot": {"service", "type"},
           "ctl xray": {"service", "type"}, "ctl events": {"user", "event", "error"}, "ctl notifications": {"publish"},
           "ctl history": {"cause", "error", "refusal"}, "ctl explain": {"service", "host", "refusal"}, "sns sms": {"service"},
           "log text": {"cause", "error", "refusal"}, "log json": {"refusal"}, "stream": {"cause", "error", "refusal"},
           "once": {"cause", "error", "refusal"}, "ctl sources": {"refusal"}, "ctl whoami": {"whoami"}}
NAMES = ("faults", "insights", "hosts", "query", "trail", "denied")
GETS = ["/v1/status", "/v1/alarms", "/v1/history", "/v1/sources", "/v1/notifications", "/v1/routes", "/v1/silences",
        "/v1/service-graph", "/v1/cloudtrail/events", "/api/v2/status", "/api/v2/alerts", "/api/v2/alerts/groups",
        *(f"/v1/alarms/{name}" for name in NAMES)]
VERBS = [["status"], ["alarms"], ["history"], ["sources"], ["notifications"], ["events"], ["silence", "list"], ["routes"],
         ["xray", "map"], ["check"], *(["show", name] for name in NAMES), *(["explain", name] for name in NAMES)]
LOGS = ("text", "json")
seen = {}  # sink -> fields that were found in it


def note(sink, text):
    seen.setdefault(sink, set()).update(marks(text))


def graph():
    """A service a turn, each called by the front end, so that paths and causes name them too."""
    services = [{"name": hostile("service", turn), "type": hostile("type", turn), "requests_per_minute": 60, "fault": 60}
                for turn in range(len(PIECES))]
    return {"graphs": [{"services": [{"name": "zqfront", "type": "AWS::EC2::Instance", "root": True, "requests_per_minute": 60,
                                      "fault": 60}, *services],
                        "edges": [{"from": "zqfront", "to": service["name"]} for service in services]}],
            "groups": [{"name": "shop", "insights": True}],
            "insights": [{"id": "f9a1b2c3-1111-4222-8333-444455556666", "group": "shop", "state": {"begin": "0s"},
                          "summary": hostile("insight") + "é" * 3000, "root_cause": {"name": hostile("cause"), "type": "t"},
                          "impact": {"FaultCount": 38, "OkCount": 82, "TotalCount": 120}}]}


def event(turn):
    return {"event": {"eventID": f"00000000-0000-4000-8000-{turn:012d}", "eventSource": "hostile.amazonaws.com",
                      "eventName": hostile("event", turn), "awsRegion": REGION, "readOnly": False,
                      "userAgent": hostile("agent", turn), "sourceIPAddress": hostile("address", turn),
                      "errorCode": hostile("error", turn), "errorMessage": hostile("error", turn),
                      "requestParameters": {"bucketName": hostile("param", turn)},
                      "userIdentity": {"type": "IAMUser", "userName": hostile("user", turn), "accountId": ACCOUNT,
                                       "arn": hostile("user", turn), "accessKeyId": hostile("key", turn)}},
            "delay": 0, "region": REGION}


def configure(world, mail, hook, log):
    def webhook(form, tail=""):
        return f'{{url: "{hook.url}/{form}{tail}", format: {form}' + (f", template: '{json.dumps(TEMPLATE)}'" if form == "template" else "") + "}"
    world.secret("routing-key", "routing-key-1199")
    chats = [webhook(form) for form in ("alertmanager", "slack", "teams", "template")]
    chats += [webhook("alertmanager_api", "/api/v2/alerts"), webhook("pagerduty")[:-1] + ", routing_key_file: routing-key}"]
    world.configure(ALARMS + f"""
receivers:
  - name: people
    email: {{to: [a@example.org], from: tocsin@example.org, smarthost: "{mail.address}", require_tls: false}}
    sns: {{topic_arn: "{TOPIC}"}}
    webhook: [{", ".join(chats)}]
    exec: {{command: [/bin/sh, -c, 'env > "$0/env-$$"; cat > "$0/input-$$"; echo "$#" > "$0/count-$$"', "{world.dir}"]}}
route: {{receiver: people, group_by: ['...'], group_wait: 0s, group_interval: 1s}}
""", poll={"xray": {"every": "1s"}, "cloudtrail": {"every": "1s"}, "cloudwatch": {"every": "1s"}},
                    log={"level": "debug", "format": log},
                    aws={"region": REGION, "endpoint_url": f"http://127.0.0.1:{world.sim_port}",
                         "accounts": [{"name": "prod", "regions": [REGION, "us-east-1"]}]})


def listen(world, chunks):
    """Collects what /v1/events says, until the daemon ends the stream."""
    stream = socket.socket(socket.AF_UNIX)
    stream.connect(world.socket)
    stream.sendall(b"GET /v1/events HTTP/1.1\r\nHost: tocsin\r\n\r\n")

    def collect():
        while True:
            chunk = stream.recv(65536)
            if not chunk:
                return
            chunks.append(chunk)
    thread = threading.Thread(target=collect, daemon=True)
    thread.start()
    world.stack.callback(stream.close)
    return thread


# The sinks, one by one

def check_mail(mail):
    allowed = {"Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Auto-Submitted", "Content-Type"}
    for entry in mail.mails:
        expect(b"\n" not in entry.raw.replace(b"\r\n", b"") and b"\r" not in entry.raw.replace(b"\r\n", b""), "CR LF alone")
        expect(all(byte in b"\r\n" or 0x20 <= byte < 0x7f for byte in entry.raw), f"printable ASCII on the wire: {entry.raw}")
        names = entry.message.keys()
        expect(set(names) == allowed and len(names) == len(allowed), f"no header but ours: {names}")
        expect((entry.sender, entry.recipients) == ("tocsin@example.org", ["a@example.org"]), "no other envelope")
        expect(not harm(entry.subject, ""), f"the subject: {harm(entry.subject, '')}")
        parts = list(entry.message.iter_parts())
        expect([part.get_content_type() for part in parts] == ["text/plain", "text/html"], "two parts")
        plain, page = (part.get_payload(decode=True).decode("utf-8", "strict").replace("\r\n", "\n") for part in parts)
        expect(not harm(plain) and not harm(page), f"the parts: {harm(plain) or harm(page)}")
        expect(not [line for line in plain.split("\n") if line.startswith("X-Injected")], f"no line of its own: {plain}")
        seen_page = Page(page)
        expect(seen_page.elements <= {"html", "head", "meta", "title", "body", "table", "tr", "td", "div", "a", "br"},
               f"no element but ours: {seen_page.elements}")
        expect(seen_page.attributes <= {"lang", "charset", "name", "content", "style", "role", "width", "cellpadding", "cellspacing",
                                        "align", "href"}, f"no attribute but ours: {seen_page.attributes}")
        expect(all(link.startswith("https://") and "evil" not in link.split("/")[2] for link in seen_page.links), f"links: {seen_page.links}")
        note("mail text", plain), note("mail html", seen_page.text), note("mail subject", entry.subject)


def check_sns(world):
    for entry in world.sim("GET", "published")["messages"]:
        expect(entry["Subject"].isascii() and entry["Subject"].isprintable() and len(entry["Subject"]) < 100, entry["Subject"])
        parts = strict_json(entry["Message"])
        for name in ("default", "email", "sms"):
            expect(not harm(parts[name]), f"{name}: {harm(parts[name])}")
        expect(set(parts) == {"default", "email", "sms", "http", "https", "lambda", "sqs"}, f"{sorted(parts)}")
        note("sns email", parts["email"]), note("sns sms", parts["sms"])
        note("sns sqs", " ".join(strings(strict_json(parts["sqs"]))))


def check_hooks(hook):
    heads = {}
    for entry in hook.hooks:
        form = entry.path.split("/")[1]
        body = strict_json(entry.body)
        heads.setdefault(form, set()).add(tuple(sorted(entry.headers)))
        note(form, " ".join(strings(body)))
        check_form(form, body)
        expect(form != "template" or entry.headers["Idempotency-Key"] not in entry.body.decode(), f"a value is no template: {body}")
    for form, found in heads.items():
        expect(len(found) == 1 and "X-Injected" not in str(found), f"{form}: the same headers each time: {found}")


def check_form(form, body):
    words = list(strings(body))
    if form == "slack":
        expect(not any("<!" in word or "<script" in word or "<http" in word and "|runbook>" not in word and "|console>" not in word
                       for word in words), f"slack takes it for markup: {words}")
    if form in ("slack", "teams"):
        found = [harm(word) for word in words if harm(word)]
        expect(not found, f"{form}: {found}")
    if form == "teams":
        blocks = body["attachments"][0]["content"]["body"]
        expect({block["type"] for block in blocks} <= {"RichTextBlock", "ActionSet"}, f"no block reads markdown: {blocks}")
    if form == "pagerduty":
        for name in ("summary", "source", "component", "group", "class"):
            value = body["payload"].get(name, "")
            expect(not harm(value), f"pagerduty {name}: {harm(value)}")
    if form == "template":
        expect(set(body) == set(TEMPLATE) and body["text"].endswith(" and more") and isinstance(body["whole"], dict), f"{body}")
        expect(all(set(alert) == {"labels", "why", "notes"} for alert in body["alerts"]), f"one document: {body}")
    if form == "alertmanager_api":
        for alert in body:
            expect(all(name.replace("_", "a").isalnum() and name.isascii() for name in alert["labels"]), f"{alert['labels']}")


def check_exec(world):
    for name in os.listdir(world.dir):
        if name.startswith(("env-", "input-", "count-")):
            with open(os.path.join(world.dir, name), encoding="utf-8") as file:
                text = file.read()
            if name.startswith("env-"):
                expect({line.partition("=")[0] for line in text.splitlines()} <= {"PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"},
                       f"the child's environment: {text}")
            elif name.startswith("count-"):
                expect(text == "0\n", f"no argument besides: {text}")
            else:
                note("exec stdin", " ".join(strings(strict_json(text))))


def check_api(world):
    for path in GETS + ["/v1/explain/" + row["fingerprint"] for row in world.instances()]:
        status, answer = world.api(path)
        expect(status == 200, f"{path}: {status} {answer}")
        note("api", " ".join(strings(answer)))
    text = world.api("/metrics")[1]
    expect(not wrong_metrics(text), f"/metrics: {wrong_metrics(text)}")
    expect(not harm(text), f"/metrics: {harm(text)}")
    note("metrics", text)


def check_raw_api(world):
    """The bytes themselves: what `curl` shows on a terminal."""
    for path in GETS:
        done = world.run_program(["curl", "-s", "--unix-socket", world.socket, f"http://tocsin{path}"])
        strict_json(done.stdout)
        expect(not harm(done.stdout), f"{path}: {harm(done.stdout)}")


def check_ctl(world):
    for verb in VERBS:
        done = world.ctl(*verb)
        expect(done.returncode in (0, 1, 2) and not harm(done.stdout + done.stderr), f"{verb}: {harm(done.stdout + done.stderr)}")
        note("ctl " + verb[0], done.stdout)
        told = world.ctl("--json", *verb).stdout if verb[0] != "check" else ""
        expect(not harm(told), f"--json {verb}: {harm(told)}")
        for line in told.splitlines():
            strict_json(line)
    for verb in (["whoami"], ["doctor"], ["backtest", "--alarm", "hosts", "--from", "10m", "--to", "0s"]):
        done = world.run_program([world.program("tocsinctl"), verb[0], "-c", world.config_file, *verb[1:]])
        expect(not harm(done.stdout + done.stderr), f"{verb}: {harm(done.stdout + done.stderr)}")
        note("ctl " + verb[0], done.stdout + done.stderr)
    check_dot(world.ctl("xray", "map", "--dot").stdout)


def check_dot(text):
    """Each line one statement: outside of its one quoted text nothing that was chosen elsewhere."""
    expect(not harm(text), f"--dot: {harm(text)}")
    for line in text.splitlines()[3:-1]:
        head, _, tail = line.partition('label="')
        inside = tail.removesuffix('"];').replace("\\\\", "").replace('\\"', "")
        expect(tail.endswith('"];') and '"' not in inside and not marks(head), f"--dot: {line}")
    note("ctl dot", text)


def check_stream(chunks):
    head, _, text = b"".join(chunks).decode("utf-8", "strict").partition("\r\n\r\n")
    expect("X-Injected" not in head, head)
    for line in (line for line in text.replace("\r\n", "\n").split("\n") if line.startswith("data:")):
        expect(not harm(line), f"the stream: {harm(line)}")
        note("stream", " ".join(strings(strict_json(line[5:]))))
    odd = [line for line in text.replace("\r\n", "\n").split("\n") if line and not line.startswith(("data:", "event:", "id:", ":", "retry:"))
           and not all(digit in "0123456789abcdefABCDEF" for digit in line)]  # sizes of chunks
    expect(not odd, f"no line of its own: {odd[:3]}")


def check_log(world, form):
    with open(world.log_file, "rb") as file:
        file.seek(world.log_start)
        text = file.read().decode("utf-8", "strict")
    expect(not harm(text), f"the log: {harm(text)}")
    for line in text.splitlines():
        if form == "json":
            strict_json(line)
            expect(line.isascii(), f"ASCII: {line}")
        else:
            expect(line[:4].isdigit() and line.split(" ")[1] in ("DEBUG", "INFO", "WARNING", "ERROR"), f"no line of its own: {line}")
    note("log " + form, text)


def everything(world):
    states = {row["name"] for row in world.instances() if row["state"] == "ALARM"}
    missing = {"faults", "insights", "hosts", "query", "trail", "TocsinSourceFailing"} - states
    return not missing or None


def scenario(world):
    hosts = [{"namespace": "Shop", "name": "CPU", "dimensions": {"Host": hostile("host", turn)}, "every": "10s", "series": 95}
             for turn in range(len(PIECES))]
    world.simulator({"topics": [{"arn": TOPIC}], "metrics": hosts, "xray": graph(),
                     "cloudtrail": {"delay": 0, "calls_per_second": 0}})
    world.fault({"error": {"code": "zqcode", "message": hostile("refusal"), "status": 400}}, region="us-east-1")
    world.fault({"error": {"code": "zqcode", "message": in_xml(hostile("whoami")), "status": 400}}, operation="GetCallerIdentity")
    refused = world.fault({"error": {"code": "InternalError", "message": in_xml(hostile("publish")), "status": 500}}, operation="Publish")
    mail, hook = world.mail(), world.hook()
    for form in LOGS:
        chunks = []
        configure(world, mail, hook, form)
        world.start()
        thread = listen(world, chunks)
        if form == LOGS[0]:
            world.sim("POST", "events", [event(turn) for turn in range(len(PIECES))])
        wait_for(lambda: everything(world), 100, f"each source's alarm fires ({[(r['name'], r['state']) for r in world.instances()]})")
        if form == LOGS[0]:
            shown = wait_for(lambda: (lambda text: text if marks(text) else "")(
                world.ctl("notifications", "--state", "pending").stdout), 30, "a topic that refuses")
            expect(not harm(shown), f"notifications: {harm(shown)}")
            note("ctl notifications", shown)
            world.sim("DELETE", f"faults?id={refused}")
        wait_for(lambda: not world.notifications("pending") and not world.notifications("sending"), 60, "all is delivered")
        expect(not world.notifications("parked"), f"and taken: {world.notifications('parked')[:2]}")
        check_api(world), check_raw_api(world), check_ctl(world)
        world.stop()
        thread.join(10)
        check_stream(chunks), check_log(world, form)
    check_mail(mail), check_sns(world), check_hooks(hook), check_exec(world)
    once = world.once()
    expect(not harm(once.stdout), f"--once: {harm(once.stdout)}")
    note("once", once.stdout)
    reach()


def reach():
    """The test's own test: the texts did come out of the sinks."""
    for sink in sorted(seen):
        print(f"{sink}: {' '.join(sorted(seen[sink]))}")
    for sink, fields in REACHED.items():
        expect(fields <= seen.get(sink, set()), f"{sink} tells of {sorted(fields - seen.get(sink, set()))}")
    reached = {sink: found for sink, found in seen.items() if found}
    print(f"figure: {len(set.union(*reached.values()))} fields of AWS with {len(PIECES)} hostile pieces each came out of "
          f"{len(reached)} sinks, {sum(map(len, reached.values()))} pairs of field and sink, each as text alone")


run(scenario)
