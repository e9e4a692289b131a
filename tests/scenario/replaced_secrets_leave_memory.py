#!/usr/bin/python3
"""After a secret was replaced, the whole memory of the daemon holds the new one at most: receivers' secrets by a reload, AWS
keys by their renewal. /proc shows its environment and memory to nobody else, not even to its own user, and a crash leaves
no core. As root: memory is read as root alone can read it."""

import contextlib
import json
import os
import signal
import subprocess
import time

from pieces import LOAD_ALARM, QUICK_ROUTE, bodies, clear, fire, hidden_file
from world import ACCOUNT, Skip, expect, run, wait_for

NOBODY = 65534
KINDS = ("mail", "hmac", "bearer", "basic", "url")
KEYS = 12  # AWS keys that the helper may hand out one after the other
PIECE = 1 << 20
HIDDEN = ("environ", "mem", "maps", "smaps", "auxv", "cwd", "exe", "root", "fd/0", "map_files", "stack", "syscall", "io", "personality")


def planted(kind, turn):
    return f"planted-{kind}-{'former' if turn == 0 else 'latter'}-7733"


def key(number):
    return f"planted-aws-secret-{number:02d}-0000000000000", f"planted-session-token-{number:02d}"


def plant(world, hook, turn):
    for kind in KINDS:
        text = planted(kind, turn)
        world.secret(f"{kind}-file", f"{hook.url}/{text}" if kind == "url" else text)
        os.chown(os.path.join(world.dir, f"{kind}-file"), NOBODY, NOBODY)


def memory(pid):
    """Each mapping that can be read, in pieces that overlap by as much as a secret is long."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, mode = line.split()[:2]
            if "r" not in mode or "[vvar" in line or "[vsyscall]" in line:
                continue
            start, end = (int(address, 16) for address in span.split("-"))
            if end - start > 1 << 32:
                continue  # a sanitizer's shadow
            for at in range(start, end, PIECE):
                with contextlib.suppress(OSError):
                    mem.seek(at)
                    yield mem.read(min(PIECE + 256, end - at))


def found(pid, secrets):
    """Those of the secrets that stand in memory, and how many bytes were looked at."""
    there, size = set(), 0
    for piece in memory(pid):
        size += len(piece)
        there |= {secret for secret in secrets if secret.encode() in piece}
    return there, size


def handed_out(world):
    with open(os.path.join(world.dir, "count"), encoding="ascii") as file:
        return int(file.read())


def scenario(world):
    if os.geteuid() != 0:
        raise Skip("memory of another is read by root alone")
    world.simulator({"accounts": [{"id": ACCOUNT, "keys": [
        {"access_key_id": f"AKIASIMULATOR00000{number:02d}", "secret_access_key": key(number)[0], "session_token": key(number)[1]}
        for number in range(KEYS)]}]})
    hook, mail = world.hook(), world.mail()
    world.let_others_in()
    os.chown(world.dir, NOBODY, NOBODY)
    helper(world)
    plant(world, hook, 0)
    world.configure(LOAD_ALARM + QUICK_ROUTE + f"""
receivers:
  - name: people
    email: {{to: [a@example.org], from: t@example.org, smarthost: "{mail.address}", require_tls: false, username: u, password_file: mail-file, auth: plain}}
    webhook:
      - {{url: "{hook.url}/hook", hmac_secret_file: hmac-file, bearer_token_file: bearer-file}}
      - {{url: "{hook.url}/basic", basic_auth: {{username: u, password_file: basic-file}}}}
      - {{url_file: url-file}}
""")
    os.chmod(world.config_file, 0o644)
    hook.answer("/basic", status=500, count=1)  # an answer that is kept and tried again
    world.start(wrapper=["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "prlimit", "--core=unlimited"])
    fire(world)
    wait_for(lambda: bodies(hook, status="firing") and len(hook.at("/basic")) > 1 and hook.at(f"/{planted('url', 0)}"), 30, "told")
    there, size = found(world.daemon.pid, [planted(kind, 0) for kind in KINDS])
    expect(len(there) >= len(KINDS) - 1, f"the test's own test: a search finds what is in use: {there}")
    strangers(world)
    plant(world, hook, 1)
    expect(world.reload()["ok"], "the new secrets are taken")
    clear(world)
    wait_for(lambda: bodies(hook, status="resolved") and hook.at(f"/{planted('url', 1)}"), 30, "told with the new ones")
    first = handed_out(world)
    wait_for(lambda: handed_out(world) >= first + 1, 60, "AWS keys are renewed")
    polls = len(world.calls(operation="GetMetricData"))
    wait_for(lambda: len(world.calls(operation="GetMetricData")) > polls + 2, 20, "and used")
    last = handed_out(world) - 1
    old = [planted(kind, 0) for kind in KINDS] + [text for number in range(last) for text in key(number)]
    # A renewal may be under way: who holds the keys of before until then gives them back within a moment.
    left = wait_for(lambda: (lambda there: "none" if not there else None)(found(world.daemon.pid, old)[0]), 10,
                    f"no former secret in memory, but {found(world.daemon.pid, old)[0]}")
    expect(left == "none", "none")
    print(f"figure: {len(old)} replaced secrets, 0 left in {size >> 20} MiB of memory; {len(HIDDEN)} entries of /proc closed to its own "
          f"user; {crash(world)}")


def helper(world):
    """credential_process: new keys at each call, good for 12 seconds."""
    answers = [json.dumps({"Version": 1, "AccessKeyId": f"AKIASIMULATOR00000{number:02d}", "SecretAccessKey": key(number)[0],
                           "SessionToken": key(number)[1], "Expiration": "END"}) for number in range(KEYS)]
    hidden_file(world, "answers", "\n".join(answers) + "\n", 0o644)
    hidden_file(world, "count", "0\n", 0o666)
    hidden_file(world, "helper", f"""#!/bin/sh
cd {world.dir}
number=$(($(cat count) + 1))
echo $number > count
sed -n ${{number}}p answers | sed s/END/$(date -u -d '+12 seconds' +%Y-%m-%dT%H:%M:%SZ)/
""", 0o755)
    hidden_file(world, ".aws/config", f"[default]\ncredential_process = {world.dir}/helper\n", 0o644)
    os.chmod(os.path.join(world.dir, ".aws"), 0o755)
    os.chmod(os.path.join(world.dir, "count"), 0o666)
    world.env = {name: text for name, text in world.env.items() if not name.startswith("AWS_")}
    world.env |= {"AWS_EC2_METADATA_DISABLED": "true", "PLANTED": "planted-environment-4455",
                  "ASAN_OPTIONS": world.env.get("ASAN_OPTIONS", "") + ":handle_segv=0"}  # it is to die of it


def strangers(world):
    """What a process of the same user, and one of another, sees of it in /proc."""
    for user in (NOBODY, 12345):
        for name in HIDDEN:
            read = f"cat /proc/{world.daemon.pid}/{name} || ls /proc/{world.daemon.pid}/{name}/"
            done = subprocess.run(["sh", "-c", read], user=user, group=user, extra_groups=[], capture_output=True, check=False)
            expect(done.returncode != 0, f"/proc/PID/{name} is open to user {user}: {done.stdout[:80]}")
        shown = subprocess.run(["sh", "-c", f"cat /proc/{world.daemon.pid}/* /proc/{world.daemon.pid}/task/*/*"], user=user, group=user,
                               extra_groups=[], capture_output=True, check=False).stdout
        expect(b"tocsind" in shown and b"planted" not in shown, f"/proc shows a secret to user {user}")


def died_of(process):
    """(signal, whether a core was made) of a process that is about to die."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        pid, status = os.waitpid(process.pid, os.WNOHANG)
        if pid:
            process.returncode = -os.WTERMSIG(status)
            return os.WTERMSIG(status), os.WCOREDUMP(status)
        time.sleep(0.02)
    raise AssertionError("it does not die")


def crash(world):
    """A crash leaves no core, where a program that did not ask for that leaves one."""
    other = subprocess.Popen(["prlimit", "--core=unlimited", "sleep", "60"], cwd=world.dir)
    time.sleep(0.5)  # until it is `sleep`
    other.send_signal(signal.SIGSEGV)
    makes_cores = died_of(other)[1]
    daemon, world.daemon = world.daemon, None
    daemon.send_signal(signal.SIGSEGV)
    expect(died_of(daemon) == (signal.SIGSEGV, False), "a crash leaves no core")
    for name in os.listdir(world.dir):
        if name.startswith("core"):
            path = os.path.join(world.dir, name)
            with open(path, "rb") as file:
                expect(b"planted" not in file.read(), f"{name} holds a secret")
            os.unlink(path)
    return "its crash leaves no core" + ("" if makes_cores else " (no program leaves one here)")


run(scenario)
