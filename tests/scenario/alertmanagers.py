"""A real Alertmanager, Debian's, for those scenarios that feed it."""

import json
import shutil
import subprocess
import urllib.request

import yaml

from catchers import free_port
from world import Skip, wait_for

PROGRAM = "prometheus-alertmanager"
EXTERNAL = "http://alerts.example.org"


def start_alertmanager(world, hook):
    """Its port. What it is told it posts to the hook's /theirs, by account and region."""
    if not shutil.which(PROGRAM):
        raise Skip(f"no {PROGRAM} (Debian: {PROGRAM})")
    port, path = free_port(), f"{world.dir}/alertmanager.yml"
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump({
            "route": {"receiver": "people", "group_by": ["account", "region"], "group_wait": "2s", "group_interval": "1s",
                      "repeat_interval": "4h"},
            "receivers": [{"name": "people", "webhook_configs": [{"url": f"{hook.url}/theirs"}]}]}, file)
    with open(f"{world.dir}/alertmanager.log", "wb") as log:
        process = subprocess.Popen(
            [PROGRAM, f"--config.file={path}", f"--storage.path={world.dir}/alertmanager", "--cluster.listen-address=",
             f"--web.listen-address=127.0.0.1:{port}", f"--web.external-url={EXTERNAL}", "--web.route-prefix=/"],
            stdout=log, stderr=log)

    def stop():
        process.terminate()
        process.wait(20)
    world.stack.callback(stop)
    wait_for(lambda: is_ready(port), 30, "Alertmanager is ready")
    return port


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def held(port):
    """The alerts that it holds to fire."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=10) as answer:
        return json.load(answer)
