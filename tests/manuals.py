#!/usr/bin/python3
"""The manuals are clean, and say what the programs say: every option of --help, every verb, every configuration key."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIP = 77


def text_of(page):
    return re.sub(r".\x08", "", subprocess.run(["mandoc", "-Tutf8", page], capture_output=True, text=True, check=True).stdout)


def lint(page):
    out = subprocess.run(["mandoc", "-Tlint", page], capture_output=True, text=True).stdout
    # Neither speaks of the page: the manuals that it names are not installed beside it.
    return [line for line in out.splitlines() if "referenced manual not found" not in line and "mandoc.db" not in line]


def options_of(*command):
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lists = " ".join(re.findall(r"^ +(-[^ ]+(?:, +--?[^ ]+)?)", out, re.M))
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", lists))


def examples_of(page):
    """The configurations that a page shows."""
    with open(page, encoding="utf-8") as file:
        return re.findall(r"^\.Bd -literal\n(receivers:\n.*?)^\.Ed$", file.read(), re.M | re.S)


def check_example(tocsind, plugins, text):
    """What --check says against it; a secret's file that is absent is no error."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "tocsin.yaml"), "w", encoding="utf-8") as file:
            file.write(text + "aws: {region: eu-west-1}\n")
        done = subprocess.run([tocsind, "--check", "-c", "tocsin.yaml"], cwd=folder, capture_output=True, text=True,
                              env={"PATH": "/usr/bin:/bin", "TOCSIN_PLUGIN_DIR": plugins}, check=False)
    return [] if done.returncode == 0 else done.stderr.splitlines()


def main():
    if not shutil.which("mandoc"):
        print("skipped: no mandoc (Debian: mandoc)")
        return SKIP
    source, build = sys.argv[1:3]
    pages = {
        "tocsind.8": os.path.join(source, "man", "tocsind.8"),
        "tocsin-plugin.7": os.path.join(source, "man", "tocsin-plugin.7"),
        "tocsinctl.1": os.path.join(build, "man", "tocsinctl.1"),
        "tocsin.yaml.5": os.path.join(build, "man", "tocsin.yaml.5"),
    }
    plugins = os.path.join(build, "plugins")
    for name in ("email", "exec", "sns", "webhook"):
        pages[f"tocsin-plugin-{name}.7"] = os.path.join(build, "man", f"tocsin-plugin-{name}.7")
    wrong = [line for page in pages.values() for line in lint(page)]
    texts = {name: text_of(page) for name, page in pages.items()}
    tocsind, tocsinctl = (os.path.join(build, "daemon", name) for name in ("tocsind", "tocsinctl"))
    for name, page in pages.items():
        shown = examples_of(page)
        if name.startswith("tocsin-plugin-") and not shown:
            wrong.append(f"{name} shows no example")
        for text in shown:
            wrong += [f"{name}: {line}" for line in check_example(tocsind, plugins, text)]
    for option in options_of(tocsind, "--help"):
        if not re.search(rf"(?<![\w-]){re.escape(option)}\b", texts["tocsind.8"]):
            wrong.append(f"tocsind.8 says nothing of {option}")
    help_text = subprocess.run([tocsinctl, "--help"], capture_output=True, text=True, check=True).stdout
    verbs = re.findall(r"^  ([a-z][a-z-]+)\b", help_text, re.M)
    if len(verbs) < 5:
        wrong.append(f"tocsinctl --help shows hardly a verb: {verbs}")
    for verb in verbs:
        for option in () if verb == "help" else options_of(tocsinctl, verb, "--help"):
            if not re.search(rf"(?<![\w-]){re.escape(option)}\b", texts["tocsinctl.1"]):
                wrong.append(f"tocsinctl.1 says nothing of {verb} {option}")
        if not re.search(rf"^ +{verb}\b", texts["tocsinctl.1"], re.M):
            wrong.append(f"tocsinctl.1 says nothing of {verb}")
    for key in re.findall(r"^ *#? *([a-z_]+):", open(os.path.join(source, "conf", "tocsin.yaml")).read(), re.M):
        if not re.search(rf"\b{key}\b", texts["tocsin.yaml.5"]):
            wrong.append(f"tocsin.yaml.5 says nothing of the example's key {key}")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
