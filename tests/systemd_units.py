#!/usr/bin/python3
"""systemd_units.py SERVICE SOCKET SYSUSERS: are the units clean, and is the daemon shut in as tightly as promised?

`verify` wants the programs that a unit names to be there: they stand for themselves here, by /bin/true. Skipped (77)
without systemd-analyze.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SCORE = 13  # tenths: what `systemd-analyze security` calls exposure may be at most 1.3
SKIPPED = 77


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def verify(folder):
    """Not only its status: what it merely warns of counts too. Targets of a bare system are none of ours."""
    status, said = run("systemd-analyze", "verify", "--man=no", f"{folder}/tocsin.service", f"{folder}/tocsin.socket")
    ours = [line for line in said.splitlines() if "tocsin" in line]
    return [f"verify: {line}" for line in ours] or ([f"verify: {said}"] if status else [])


def security(folder):
    status, said = run("systemd-analyze", "security", "--offline=true", f"--threshold={SCORE}", "--no-pager",
                       f"{folder}/tocsin.service")
    return [said] if status else []


def groups(folder, sysusers):
    """The socket's group must exist when systemd makes the socket, and none may be named as the dynamic user."""
    made = re.findall(r"^g (\S+)", sysusers.read_text(), re.M)
    asked = re.findall(r"^SocketGroup=(\S+)", (folder / "tocsin.socket").read_text(), re.M)
    wrong = [f"sysusers makes no group {group}" for group in asked if group not in made]
    return wrong + ["sysusers makes the group of the dynamic user" for group in made if group == "tocsin"]


def main(service, socket, sysusers):
    if not shutil.which("systemd-analyze"):
        return SKIPPED
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        text = re.sub(r"^(Exec\w+=\+?)/\S+", r"\1/bin/true", pathlib.Path(service).read_text(), flags=re.M)
        (folder / "tocsin.service").write_text(text)
        shutil.copy(socket, folder)
        wrong = verify(folder) + security(folder) + groups(folder, pathlib.Path(sysusers))
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
