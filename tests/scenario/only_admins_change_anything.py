#!/usr/bin/python3
"""Who may open the socket may read every call; only root, the daemon's own user and members of the admin group, as first
or further group, change anything; whoever the kernel shows as nobody in particular does not, and every try is audited."""

import grp
import json
import os
import subprocess
import sys

from figures import figure
from pieces import LOAD_ALARM, QUICK_ROUTE, hook_receiver
from world import Skip, expect, run, wait_for

DAEMON, MEMBER, FURTHER, OTHER, INSIDE = 61990, 61001, 61002, 61003, 61004
NOGROUP = 65534
READS = ("/v1/status", "/v1/alarms", "/v1/alarms/load", "/v1/history", "/v1/sources", "/v1/notifications", "/v1/silences",
         "/v1/routes", "/v1/explain/{fingerprint}", "/v1/service-graph", "/v1/cloudtrail/events", "/v1/events", "/api/v2/status",
         "/api/v2/receivers", "/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences",
         "/api/v2/silence/00000000-0000-4000-8000-000000000000", "/metrics", "/healthz", "/readyz")
CHANGES = (("POST", "/v1/notifications/x/retry"), ("POST", "/v1/notifications/x/discard"), ("POST", "/v1/silences"),
           ("DELETE", "/v1/silences/00000000-0000-4000-8000-000000000000"), ("POST", "/v1/alarms/{fingerprint}/acknowledge"),
           ("DELETE", "/v1/alarms/{fingerprint}/acknowledge"), ("POST", "/v1/reload"), ("POST", "/v1/receivers/nobody/test"))
# Asks each call on a connection of its own and prints the statuses.
CLIENT = """
import json, socket, sys
path, calls = json.load(sys.stdin)
def ask(method, target):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(path)
        connection.sendall(f"{method} {target} HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\n\\r\\n".encode())
        return int(connection.recv(64).split()[1])
print(json.dumps([ask(*call) for call in calls]))
"""


def admin_group():
    """A group of this machine that is nobody's own here; it has no member that the test would need."""
    for entry in grp.getgrall():
        if entry.gr_gid not in (0, NOGROUP):
            return entry.gr_name, entry.gr_gid
    raise Skip("this machine has no group but root's")


def everything(world):
    fingerprint = world.instances("load")[0]["fingerprint"]
    calls = [("GET", path) for path in READS] + list(CHANGES)
    return [(method, path.replace("{fingerprint}", fingerprint)) for method, path in calls]


def ask_as(world, calls, uid, gid, groups, wrapper=()):
    done = subprocess.run([*wrapper, sys.executable, "-c", CLIENT], input=json.dumps([world.socket, calls]), user=uid, group=gid,
                          extra_groups=groups, capture_output=True, text=True, timeout=60, check=False)
    expect(done.returncode == 0, f"uid {uid}: {done.stderr[-500:]}")
    return json.loads(done.stdout)


def try_all(world, who, may_change, uid, gid, groups=(), wrapper=()):
    """Every call as that peer. How many."""
    calls = everything(world)
    for (method, path), status in zip(calls, ask_as(world, calls, uid, gid, list(groups), wrapper)):
        if method == "GET":
            expect(status in (200, 404), f"{who} may read {path}: {status}")
        else:
            expect((status == 403) == (not may_change), f"{who} {'may' if may_change else 'may not'} {method} {path}: {status}")
    return len(calls)


def configure(world, hook, group):
    world.configure(LOAD_ALARM + QUICK_ROUTE + hook_receiver(hook.url),
                    control={"socket": world.socket, "mode": "0666", "admin_group": group})


def own_user(world, hook, group, gid):
    """The daemon as a user of its own."""
    configure(world, hook, group)
    for path in (world.dir, world.config_file):
        os.chown(path, DAEMON, DAEMON)
    world.let_others_in()
    world.start(wrapper=["setpriv", "--reuid", str(DAEMON), "--regid", str(DAEMON), "--clear-groups"])
    world.wait_state("load", "OK")
    count = try_all(world, "root", True, 0, 0)
    count += try_all(world, "the daemon's own user", True, DAEMON, DAEMON)
    count += try_all(world, "who has the admin group as the first", True, MEMBER, gid)
    count += try_all(world, "who has the admin group as a further one", True, FURTHER, FURTHER, [7, gid, 8])
    count += try_all(world, "who has many groups, the admin group last", True, FURTHER, FURTHER, [*range(70000, 70300), gid])
    count += try_all(world, "another user", False, OTHER, OTHER, [7, 8])
    count += try_all(world, "another user in root's group", False, OTHER, 0)
    count += try_all(world, "who has no group", False, OTHER, NOGROUP)
    if subprocess.run(["unshare", "-U", "-r", "true"], user=INSIDE, group=INSIDE, extra_groups=[], capture_output=True,
                      check=False).returncode:
        print("no user namespace for other users here: who is root in one was not tried")
    else:
        count += try_all(world, "who is root in a namespace of its own", False, INSIDE, INSIDE, [], ["unshare", "-U", "-r"])
    audited = [line for line in world.log().splitlines() if "control call" in line and f"uid={OTHER}" in line]
    expect(len(audited) == 3 * len(CHANGES) and all("status=403" in line for line in audited),
           f"each refused change is in the log: {len(audited)} of {3 * len(CHANGES)}: {audited[:1]}")
    world.stop()
    return count


def in_a_namespace(world, hook, group, gid):
    """The daemon where other users and groups have no number: they all look like `nobody` and `nogroup`."""
    for path in (world.dir, world.config_file):
        os.chown(path, 0, 0)
    count = 0
    for name in (group, "nogroup"):
        configure(world, hook, name)
        subprocess.run(["chown", "-R", "0:0", world.dir], check=True)
        world.start(wrapper=["unshare", "-U", "-r"])
        world.wait_state("load", "OK")
        count += try_all(world, "root", True, 0, 0)
        count += try_all(world, f"a member of {name} who has no number there", False, MEMBER, gid, [gid])
        count += try_all(world, "who has no group", False, OTHER, NOGROUP, [NOGROUP])
        world.stop()
    return count


def scenario(world):
    if os.geteuid() != 0:
        raise Skip("only root can be everybody")
    group, gid = admin_group()
    world.simulator({})
    hook = world.hook()
    count = own_user(world, hook, group, gid)
    if subprocess.run(["unshare", "-U", "-r", "true"], capture_output=True, check=False).returncode:
        print("no user namespace here: the daemon in one was not tried")
    else:
        count += in_a_namespace(world, hook, group, gid)
    figure(f"{len(READS) + len(CHANGES)} calls by every kind of peer, {count} in all: each answered as its peer's numbers allow")


run(scenario)
