#!/usr/bin/python3
"""Configurations made to cost: each is read or refused in no time, with its errors told as ever (robustness 12, `config`).

bombs.py TOCSIND PLUGIN_DIRECTORY [LIMIT_MS]

The promise is 100 ms; the limit, ten times that, is of processor time: other work on the machine does not count.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

LINE = re.compile(r"^(\S+:\d+:\d+: (error|warning): .+|and \d+ more.*)$")
SIZE = 1 << 20  # the most that is read of a file
OUTPUT_MAX = 1 << 20
HEAD = "aws: {region: eu-west-1}\n"
ALARM = "alarms:\n  - name: a\n"


def laughs(levels, width):
    """Each level says the one before `width` times."""
    lines = ["a0: &a0 [lol, lol]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]" for level in range(1, levels)]
    return "\n".join(lines) + "\n"


def filled(piece, head="", tail="", size=SIZE - 64):
    return head + piece * ((size - len(head) - len(tail)) // len(piece)) + tail


def event(detection):
    return f"{HEAD}{ALARM}    events: {{detection: {detection}}}\n"


def composite(rule):
    return f'{HEAD}{ALARM}    composite: {{rule: "{rule}"}}\n'


def bombs():
    yield "aliases, 9 levels of 9", laughs(9, 9)
    yield "aliases, 60 levels of 2", laughs(60, 2)
    yield "aliases, 2 levels of 10,000", laughs(3, 10000)
    yield "an alias of itself", "a: &a [*a]\n"
    yield "anchors", "".join(f"k{number}: &a{number} x\n" for number in range(60000))[:SIZE - 64] + "\n"
    for opening in ("[", "{", "{a: ", "- ", "? ", "[[],", "!!seq ["):
        yield f"depth of `{opening}`", filled(opening)
    yield "depth by indentation", "".join(" " * level + "a:\n" for level in range(1400))
    yield "one long word", filled("x", "aws: ")
    yield "one long key", filled("x", "", ": 1")
    yield "one long quoted text", filled("\\u00e4", 'aws: "', '"')
    yield "folded lines", filled("x\n\n  ", "aws: >\n  ")
    yield "comments", filled("#\n", HEAD)
    yield "documents", filled("---\n")
    yield "tabs", filled("\t", "aws:\n")
    yield "unknown keys", "".join(f"unknown{number}: 1\n" for number in range(60000))[:SIZE - 64] + "\n"
    yield "the same key", filled("aws: 1\n")
    yield "wrong alarms", HEAD + "alarms:\n" + filled("  - {name: 1, oops: 2}\n", size=SIZE - 128)
    yield "many alarms", HEAD + "alarms:\n" + "".join(f"  - {{name: a{number}}}\n" for number in range(40000))[:SIZE - 256]
    yield "many good alarms", HEAD + "alarms:\n" + "".join(
        f"  - {{name: a{number}, metric: {{namespace: N, metric_name: M{number}, statistic: Sum, period: 60}}, "
        "comparison_operator: '>', threshold: 1, evaluation_periods: 1}\n" for number in range(5000))
    yield "nested condition", event("{s: {a: b}, condition: " + "(" * 300000 + "s" + ")" * 300000 + "}")
    yield "nots", event("{s: {a: b}, condition: " + "not " * 200000 + "s}")
    yield "ands", event("{s: {a: b}, condition: " + "s and " * 100000 + "s}")
    yield "a pattern that explodes", event("{s: {a|re: '" + "(a+)+" * 20000 + "'}, condition: s}")
    yield "nested patterns", event("{s: {a|re: '" + "(" * 100000 + ")" * 100000 + "'}, condition: s}")
    yield "repeated patterns", event("{s: {a|re: '((((a{1,999}){1,999}){1,999}){1,999})'}, condition: s}")
    yield "stars", event("{s: {a: '" + "*a" * 200000 + "'}, condition: s}")
    yield "composite", composite("(" * 200000 + "ALARM(a)" + ")" * 200000)
    yield "composite nots", composite("NOT " * 200000 + "ALARM(a)")
    yield "an expression", f"{HEAD}{ALARM}    metrics: [{{id: e, expression: '{'(' * 300000}'}}]\n"
    yield "a matcher", HEAD + "route: {receiver: a, matchers: ['a=~\"" + "(a+)+" * 60000 + "\"']}\n"
    yield "routes", HEAD + "route:\n" + "".join("  " * level + "  receiver: r\n" + "  " * level + "  routes:\n" + "  " * level
                                                + "   -\n" for level in range(400))
    yield "a duration", HEAD + "poll: {cloudwatch: {every: " + "9" * 500000 + "d}}\n"
    yield "a number", f"{HEAD}{ALARM}    threshold: {'1' * 500000}e{'9' * 100000}\n"
    template = "[" * 100000
    yield "a template", HEAD + f"receivers: [{{name: r, webhook: {{url: 'http://h/', format: template, template: '{template}'}}}}]\n"
    places = "{{ subject }}" * 40000
    yield "places of a template", HEAD + ("receivers: [{name: r, webhook: {url: 'http://h/', format: template, template: "
                                          f"'[\"{places}\"]'" + "}}]\n")
    yield "includes", "include: [" + ", ".join(["tocsin.yaml"] * 50000) + "]\n"
    yield "globs", "include: ['" + "*/" * 400 + "*.yaml']\n"
    yield "recipients", HEAD + "receivers: [{name: r, email: {to: [" + ", ".join(["a@b.c"] * 100000) + "]}}]\n"


def cost(command, world, environment):
    """(status, milliseconds of processor time, what it said); what it says goes to a file, as a pipe might fill."""
    with open(world / "said", "w+b") as said:
        process = subprocess.Popen(command, cwd=world, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return process.returncode, 1000 * (usage.ru_utime + usage.ru_stime), said.read(OUTPUT_MAX + 1)


def main(tocsind, plugins, limit="1000"):
    slowest, count = (0, ""), 0
    with tempfile.TemporaryDirectory() as scratch:
        world = pathlib.Path(scratch)
        environment = {"PATH": "/usr/bin:/bin", "HOME": scratch, "TOCSIN_PLUGIN_DIR": os.path.abspath(plugins)}
        environment |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        for name, text in bombs():
            (world / "tocsin.yaml").write_text(text)
            status, spent_ms, said = cost([os.path.abspath(tocsind), "--check", "-c", "tocsin.yaml"], world, environment)
            lines = said.decode("utf-8").splitlines()
            slowest, count = max(slowest, (spent_ms, name)), count + 1
            if spent_ms > float(limit):
                print(f"{name}: {spent_ms:.0f} ms, more than {limit}")
                return 1
            if status not in (0, 1) or len(said) > OUTPUT_MAX or not lines:
                print(f"{name}: exit status {status}, {len(said)} bytes: {lines[:3]}")
                return 1
            if status == 1 and not all(LINE.match(line) for line in lines):
                print(f"{name}: not a line as promised: {[line for line in lines if not LINE.match(line)][:3]}")
                return 1
    print(f"figure: {count} bombs in the configuration, the dearest ({slowest[1]}) took {slowest[0]:.0f} ms of processor time")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
