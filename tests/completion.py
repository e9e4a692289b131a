#!/usr/bin/python3
"""What the shells complete behind tocsinctl: the scripts are right for bash and zsh, and say what the tool says."""

import re
import shutil
import subprocess
import sys

CASES = {  # the words so far -> what must be offered, and what must not
    ("",): ("status alarms backtest help --version", "FILE"),
    ("sta",): ("status", "alarms"),
    ("alarms", "--st"): ("--state", "--json"),
    ("alarms", "--state", ""): ("OK ALARM INSUFFICIENT_DATA", "--json"),
    ("--socket", "/x", "notifications", ""): ("retry discard --socket", "ID"),
    ("completion", ""): ("bash zsh", "status"),
    ("check-config", "/etc/host"): ("/etc/hostname", "status"),
    ("backtest", "-c", "/etc/host"): ("/etc/hostname", "--csv"),
    ("help", "back"): ("backtest", "status"),
    ("nothing", "--"): ("--help --json", "--state"),
}


def bash(script, words):
    program = script + f"\ncompopt() {{ :; }}\nCOMP_WORDS=(tocsinctl {' '.join(map(repr, words))})\n" \
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_tocsinctl\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"
    done = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, timeout=20, check=False)
    if done.stderr or done.returncode:
        sys.exit(f"bash, {words}: {done.returncode} {done.stderr}")
    return done.stdout.split("\n")


def main():
    tool = sys.argv[1]
    scripts = {shell: subprocess.run([tool, "completion", shell], capture_output=True, text=True, check=True).stdout
               for shell in ("bash", "zsh")}
    for words, (wanted, unwanted) in CASES.items():
        offered = bash(scripts["bash"], words)
        for word in wanted.split():
            if word not in offered:
                sys.exit(f"bash does not offer {word} behind {words}: {offered}")
        if unwanted in offered:
            sys.exit(f"bash offers {unwanted} behind {words}: {offered}")
    verbs = re.findall(r"^  ([a-z][a-z-]+)\b", subprocess.run([tool, "--help"], capture_output=True, text=True).stdout, re.M)
    for verb in verbs:
        if f"'{verb}:" not in scripts["zsh"] or (verb != "help" and f"    {verb})" not in scripts["zsh"]):
            sys.exit(f"zsh knows nothing of {verb}")
    if shutil.which("zsh"):
        done = subprocess.run(["zsh", "-f", "-c", "autoload -Uz compinit; compinit -D -u; source /dev/stdin; whence _tocsinctl"],
                              input=scripts["zsh"], capture_output=True, text=True, timeout=60, check=False)
        if done.stderr or done.stdout.strip() != "_tocsinctl":
            sys.exit(f"zsh does not take its script: {done.stdout}{done.stderr}")
    else:
        print("zsh is not there (Debian: zsh): its script was not run")


main()
