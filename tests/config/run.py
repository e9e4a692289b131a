#!/usr/bin/python3
"""Compares what `tocsind --check` says about each CASE/tocsin.yaml with CASE/expected, the whole text.

run.py TOCSIND PLUGIN_DIRECTORY [CASE…]          runs all cases, or those named
run.py --write TOCSIND PLUGIN_DIRECTORY [CASE…]  writes what is said as `expected`: read it before it is committed

A case is copied and run in its own folder, its files readable by the owner alone, so that FILE is `tocsin.yaml` and
neither a checkout's umask nor the user's environment speaks into the answer. Standard error comes first, then output;
the plugins' folder is written as PLUGINS. Packs are those that a case brings along in `packs`.
"""
import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 60  # far more than a check takes: a hang must end


def check(case, tocsind, plugins):
    with tempfile.TemporaryDirectory() as scratch:
        world = pathlib.Path(scratch, "case")
        shutil.copytree(case, world, ignore=shutil.ignore_patterns("expected"))
        for path in world.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": scratch, "TOCSIN_PLUGIN_DIR": plugins,
                       "TOCSIN_PACK_DIR": "packs"}
        environment |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        done = subprocess.run([tocsind, "--check", "-c", "tocsin.yaml"], cwd=world, env=environment, timeout=SECONDS,
                              capture_output=True, stdin=subprocess.DEVNULL)
        said = (done.stderr + done.stdout).decode("utf-8", "backslashreplace")
        return done.returncode, said.replace(plugins, "PLUGINS")


def judge(case, status, said, write):
    """What is wrong with the answer, as lines; none if it is as expected."""
    expected = case / "expected"
    if write:
        expected.write_text(said)
    wanted = expected.read_text() if expected.exists() else ""
    wrong = list(difflib.unified_diff(wanted.splitlines(True), said.splitlines(True), "expected", "said"))
    has_errors = any(": error: " in line for line in said.splitlines())
    if status != int(has_errors):
        wrong.append(f"exit status {status}, not {int(has_errors)}\n")
    for line in said.splitlines():
        if ": error: " in line and not line.endswith(")"):
            wrong.append(f"it does not say what would be right: {line}\n")
    return wrong


def main(arguments):
    write = arguments[:1] == ["--write"]
    tocsind, plugins, *names = arguments[write:]
    cases = sorted(path.parent for path in HERE.glob("*/expected") if not names or path.parent.name in names)
    failed = 0
    for case in cases:
        status, said = check(case, os.path.abspath(tocsind), os.path.abspath(plugins))
        wrong = judge(case, status, said, write)
        if wrong:
            failed += 1
            print(f"{case.name}:\n{''.join(wrong)}")
    print(f"{len(cases)} cases, {failed} wrong")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
