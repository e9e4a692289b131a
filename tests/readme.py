#!/usr/bin/python3
"""What people copy must work: the example, the README's YAML and the demo's pass --check; the README's figures are true."""

import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
DAEMON, PLUGINS = os.path.abspath(sys.argv[1]), os.path.join(os.path.abspath(sys.argv[2]), "plugins")
ENV = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "TOCSIN_PLUGIN_DIR": PLUGINS}


def check(path):
    return subprocess.run([DAEMON, "--check", "-c", os.path.basename(path)], cwd=os.path.dirname(path), env=ENV,
                          capture_output=True, text=True, timeout=60, check=False)


def fail(what, done):
    sys.exit(f"{what}: exit {done.returncode}\n{done.stdout}{done.stderr}")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def good(name, text, folder):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = check(path)
    if done.returncode or done.stderr:
        fail(name, done)
    return done.stdout


def main():
    readme = read("README.md")
    with tempfile.TemporaryDirectory() as folder:
        demo = read("tests", "demo-files", "tocsin.yaml")
        for name, value in (("@AWS@", "http://127.0.0.1:1"), ("@DIR@", folder), ("@MAIL@", "127.0.0.1:2"),
                            ("@HOOK@", "http://127.0.0.1:3")):
            demo = demo.replace(name, value)
        good("demo.yaml", demo, folder)
        good("example.yaml", read("conf", "tocsin.yaml"), folder)
        for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)):
            good(f"readme-{number}.yaml", text, folder)
        eight = re.search(r"```yaml\n(.*?)```", readme, re.DOTALL).group(1)
        price = re.search(r"each minute is about \$(\S+) a month", readme).group(1)
        if f"about {price} USD a month" not in good("eight.yaml", eight, folder):
            sys.exit(f"a metric a minute does not cost {price} a month")
        broken = (eight.replace("period: 300", "period: 75").replace("comparison_operator", "comparision_operator")
                  .replace("threshold: 80", "threshold: eighty").replace("https://example.org/hook", "example.org/hook")
                  .replace("{receiver: oncall}", "{receiver: on-call}"))
        path = os.path.join(folder, "tocsin.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(broken)
        done = check(path)
        if done.returncode != 1 or done.stderr.strip() not in readme:
            fail("the README's broken file says something else", done)


main()
