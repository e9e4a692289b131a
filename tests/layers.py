#!/usr/bin/python3
"""Do the includes go one way? Reads every line of daemon/; the three dicts and design's table of folders change together.

layers.py DAEMON    prints each breach as FILE:LINE: what, and fails if there is one
layers.py --planted plants one breach of each kind in a folder of its own, and fails unless exactly those are found
"""
import pathlib
import re
import sys
import tempfile

USES = {  # folder: the folders it may use; files that lie in daemon/ itself wire, and may use all
    "base": "", "config": "base", "store": "base config", "net": "base config", "aws": "base config net",
    "rules": "base config", "sources": "base config net aws rules", "alarms": "base config store aws rules sources",
    "notify": "base config store rules sources alarms", "plugin": "base config net aws",
    "engine": "base config store net aws rules sources alarms notify plugin",
    "control": "base config store net aws rules sources alarms notify plugin engine",
    "ctl": "base config net aws rules sources alarms notify plugin",
}
HOMES = {  # library header: the folder, or the file, that alone includes it
    "yaml.h": "config", "sqlite3.h": "store", "curl/": "net", "microhttpd.h": "control", "pcre2.h": "rules",
    "expat.h": "aws", "openssl/": "base/digest.c", "systemd/": "base/systemd.c", "glib.h": "base/zone.c",
    "tocsin-plugin.h": "plugin",
}
DOORS = dict.fromkeys(("time", "clock_gettime", "gettimeofday", "timespec_get", "clock", "uv_now", "uv_hrtime", "uv_sleep",
                       "sleep", "usleep", "nanosleep"), "base/clock.c")  # function: the one file that calls it

COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')
CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(DOORS))


def breach_of_include(name, quote, header):
    folder = name.split("/")[0] if "/" in name else None
    for library, home in HOMES.items():
        if header.startswith(library):
            return None if name.startswith(home) else f"{header} belongs to {home} alone"
    if quote == "<":
        return None
    used = header.split("/")[0] if "/" in header else None
    if used == folder or (folder is None and used in USES):
        return None
    if used is None:
        return f'"{header}" is not written from daemon/, or lies in it: no folder includes that'
    if folder is None or used not in USES:
        return f'"{header}" is in no folder that design names'
    if used in USES[folder].split():
        return None
    return f"{folder} may not use {used} (only {USES[folder] or 'itself'})"


def breaches(daemon):
    for path in sorted(daemon.rglob("*.[ch]")):
        name = path.relative_to(daemon).as_posix()
        text = path.read_text()
        bare = COMMENT_OR_TEXT.sub(lambda found: "\n" * found[0].count("\n") or " ", text)
        for number, (line, code) in enumerate(zip(text.split("\n"), bare.split("\n")), 1):
            include = INCLUDE.match(line)
            found = [breach_of_include(name, *include.groups())] if include else []
            found += [f"{call}() is for {DOORS[call]} alone" for call in CALL.findall(code) if name != DOORS[call]]
            yield from (f"{daemon.name}/{name}:{number}: {what}" for what in found if what)


PLANTED = {  # a line that is wrong in daemon/rules/judge.c: what must be said about it; None: it is right
    '#include "alarms/instance.h"': "rules may not use alarms (only base config)",
    '#include "judge.h"': '"judge.h" is not written from daemon/, or lies in it: no folder includes that',
    '#include "util/list.h"': '"util/list.h" is in no folder that design names',
    "#include <sqlite3.h>": "sqlite3.h belongs to store alone",
    "#  include <openssl/sha.h>": "openssl/sha.h belongs to base/digest.c alone",
    "int64_t now = time(NULL);": "time() is for base/clock.c alone",
    'log("time(NULL)"); /* sleep(1) */ x->time(1); run_time(2);': None,
    '#include "rules/judge.h"': None, '#include "base/error.h"': None, "#include <math.h>": None,
}


def planted():
    with tempfile.TemporaryDirectory() as folder:
        daemon = pathlib.Path(folder, "daemon")
        (daemon / "rules").mkdir(parents=True)
        (daemon / "rules" / "judge.c").write_text("/* two\n lines */\n" + "\n".join(PLANTED) + "\n")
        expected = [f"daemon/rules/judge.c:{at}: {what}" for at, what in enumerate(PLANTED.values(), 3) if what]
        found = list(breaches(daemon))
        return [line + " (found or missed)" for line in sorted(set(found) ^ set(expected))]


if __name__ == "__main__":
    all_found = planted() if sys.argv[1] == "--planted" else list(breaches(pathlib.Path(sys.argv[1])))
    print(*all_found, sep="\n", end="\n" if all_found else "")
    sys.exit(1 if all_found else 0)
