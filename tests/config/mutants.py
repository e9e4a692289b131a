#!/usr/bin/python3
"""Breaks a good configuration in many ways; whatever comes out must be told as promised (robustness 12, `config`).

mutants.py TOCSIND PLUGIN_DIRECTORY [COUNT [SEED]]

Holds for each mutant: exit 0 or 1, 1 exactly if there is an error; every line is FILE:LINE:COLUMN: error|warning: … and
its place lies inside of the file, or behind the last character of a line.
"""
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LINE = re.compile(r"^(tocsin\.yaml|alarms\.d/more\.yaml):(\d+):(\d+): (error|warning): .+$")
PIECES = [b":", b"- ", b"\t", b"*", b"&a ", b"[", b"]", b"{", b"}", b'"', b"'", b"#", b"|", b">", b"!", b"%", b"@", b"\n", b"\r",
          b"\0", b"\xff", b"\xc3\xa4", b"\xe2\x80\xa8", b"~", b"0", b"-1", b"1e999", b"x" * 5000, b"?", b"<<: ", b"---\n", b"..."]


def mutate(text, dice):
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        start = dice.randrange(len(text) + 1)
        end = min(len(text), start + dice.choice((0, 1, 2, 8, 40)))
        lines = text.splitlines(True)
        kind = dice.randrange(6)
        if kind == 0:
            text = text[:start] + dice.choice(PIECES) + text[start:]
        elif kind == 1:
            text = text[:start] + text[end:]
        elif kind == 2:
            text = text[:start] + dice.choice(PIECES) + text[end:]
        elif kind == 3 and lines:
            text = b"".join(lines + [dice.choice(lines)])
        elif kind == 4 and lines:
            lines.pop(dice.randrange(len(lines)))
            text = b"".join(lines)
        else:
            text = text[:start]
    return text


def is_inside(world, file, line, column):
    text = (world / file).read_bytes().decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    lines = text.split("\n")
    return line <= len(lines) and column <= len(lines[line - 1]) + 1


def judge(world, command, environment):
    done = subprocess.run(command, cwd=world, env=environment, timeout=60, capture_output=True, stdin=subprocess.DEVNULL)
    said = done.stderr.decode("utf-8").splitlines()
    for line in said:
        match = LINE.match(line)
        if not match or not is_inside(world, match[1], int(match[2]), int(match[3])):
            return 1, f"not a line as promised: {line}"
    wanted = int(any(": error: " in line for line in said))
    return wanted, None if done.returncode == wanted else f"exit status {done.returncode}, not {wanted}; {said[:3]}"


def main(tocsind, plugins, count="1000", seed=None):
    seed = int(seed) if seed else random.randrange(2**32)
    dice = random.Random(seed)
    good = (HERE / "good-contract" / "tocsin.yaml").read_bytes()
    command = [os.path.abspath(tocsind), "--check", "-c", "tocsin.yaml"]
    with tempfile.TemporaryDirectory() as scratch:
        world = pathlib.Path(scratch, "case")
        shutil.copytree(HERE / "good-contract", world)
        environment = {"PATH": "/usr/bin:/bin", "HOME": scratch, "TOCSIN_PLUGIN_DIR": os.path.abspath(plugins)}
        environment |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        refused = 0
        for number in range(int(count)):
            text = mutate(good, dice)
            (world / "tocsin.yaml").write_bytes(text)
            status, wrong = judge(world, command, environment)
            refused += status
            if wrong:
                sys.stdout.buffer.write(text)
                print(f"\nmutant {number} of seed {seed}: {wrong}")
                return 1
    print(f"figure: {count} mutants (seed {seed}): {refused} refused, each line with its place inside the file, {int(count) - refused} still good")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
