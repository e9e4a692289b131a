#!/usr/bin/python3
"""cost and iam-policy say what a configuration asks of AWS, by loops over its plan; a wrong one is told as --check does."""

import json
import os
import subprocess
import sys
import tempfile

TOOL, BUILD = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ENV = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "TOCSIN_PLUGIN_DIR": os.path.join(BUILD, "plugins"),
       **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}}
RULE = "comparison_operator: '>', threshold: 1, evaluation_periods: 1"
CONFIG = f"""
aws:
  region: eu-west-1
  accounts:
    - {{name: base}}
    - {{name: prod, role_arn: "arn:aws:iam::111122223333:role/tocsin", regions: [eu-west-1, us-east-1]}}
alarms:
  - {{name: shared-1, accounts: [base], metric: {{namespace: N, metric_name: M, statistic: Sum}}, {RULE}}}
  - {{name: shared-2, accounts: [base], metric: {{namespace: N, metric_name: M, statistic: Maximum}}, {RULE}}}
  - {{name: traces, accounts: [prod], regions: [eu-west-1], traces: {{filter: x}}, {RULE}}}
  - {{name: twice, accounts: [prod], metrics: [{{id: a, namespace: N, metric_name: M, statistic: Sum}},
     {{id: b, namespace: N, metric_name: O, statistic: Sum}}, {{id: c, expression: a / b, return_data: true}}], {RULE}}}
  - {{name: off, enabled: false, insights: {{}}}}
receivers:
  - name: people
    sns:
      - {{topic_arn: "arn:aws:sns:eu-west-1:999900001111:b"}}
      - {{topic_arn: "arn:aws:sns:eu-west-1:111122223333:p", account: prod}}
      - {{phone_number: "+4912345678", region: eu-west-1}}
route: {{receiver: people}}
"""
MONTH = 43800  # polls a month, one a minute


def run(*arguments, folder):
    return subprocess.run([TOOL, *arguments], cwd=folder, env=ENV, capture_output=True, text=True, timeout=60, check=False)


def expect(got, wanted, what):
    if got != wanted:
        sys.exit(f"{what}:\n{got}\nnot\n{wanted}")


def policy(folder, *more):
    done = run("iam-policy", "-c", "t.yaml", *more, folder=folder)
    expect(done.returncode, 0, done.stderr)
    return [(one["Action"], one["Resource"]) for one in json.loads(done.stdout)["Statement"]], done.stderr


def main():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "t.yaml"), "w", encoding="utf-8") as file:
            file.write(CONFIG)
        answer = json.loads(run("--json", "cost", "-c", "t.yaml", folder=folder).stdout)
        rows = {row["name"]: (row["billed_units_month"], row["watched"], row["note"]) for row in answer["alarms"]}
        expect(rows, {"shared-1": (MONTH, 1, None), "shared-2": (MONTH, 1, None), "twice": (4 * MONTH, 2, None),
                      "traces": (0, 1, "$0.50 a million traces scanned")}, "the price of each alarm")
        expect(answer["total"]["billed_units_month"], 5 * MONTH, "two statistics of one metric count once")
        shown = run("cost", "-c", "t.yaml", folder=folder).stdout
        expect(shown.splitlines()[1].split()[-1], "twice", "the dearest comes first")
        base, talk = policy(folder)
        expect(base, [(["cloudwatch:GetMetricData"], "*"),
                      (["sns:Publish", "sns:GetTopicAttributes"], ["arn:aws:sns:eu-west-1:999900001111:b"]),
                      ("sns:Publish", "*"), ("sts:AssumeRole", ["arn:aws:iam::111122223333:role/tocsin"])], "the base policy")
        expect("--account prod" in talk, True, f"the role is told of: {talk}")
        role, talk = policy(folder, "--account", "prod")
        expect(role, [(["cloudwatch:GetMetricData", "xray:GetTraceSegmentDestination", "xray:GetTraceSummaries"], "*"),
                      (["sns:Publish", "sns:GetTopicAttributes"], ["arn:aws:sns:eu-west-1:111122223333:p"])], "the role's policy")
        expect(policy(folder, "--account", "base")[0], base, "an account without a role")
        done = run("iam-policy", "-c", "t.yaml", "--account", "none", folder=folder)
        expect((done.returncode, done.stderr), (1, "tocsinctl: there is no account `none`\n"), "an unknown account")
        with open(os.path.join(folder, "t.yaml"), "w", encoding="utf-8") as file:
            file.write("alarms: [{nam: x}]\n")
        for verb in ("cost", "iam-policy"):
            done = run(verb, "-c", "t.yaml", folder=folder)
            expect((done.returncode, done.stdout, "t.yaml:1:11: error: unknown key `nam`" in done.stderr), (1, "", True), verb)


main()
