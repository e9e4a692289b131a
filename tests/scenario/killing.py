"""kill -9 at instants drawn by chance, and the state file as a kill has left it: for the scenarios that kill."""

import contextlib
import http.client
import os
import select
import shutil
import sqlite3
import time

from world import Failed, expect

LIFE_S = 0.6  # most of a life; what it does in that time differs, since the poll's phase does not
READY_MOST_S = 20  # a start is ready within 2 s; on a busy machine it may take longer, and the figure says how long
AT_START = 0.1  # of all kills: before the daemon is ready


def spin(is_over, most_s):
    """Waits until `is_over`, closely; True if it came to pass within `most_s`."""
    end = time.monotonic() + most_s
    while not is_over():
        if time.monotonic() > end:
            return False
        time.sleep(0.0005)
    return True


class Killer:
    """Ends the daemon's lives and begins the next; counts kills, and keeps the slowest start.

    `check` is called after each kill, while no daemon runs; `arrived` counts what came to the receivers.
    """

    def __init__(self, world, chance, arrived, check):
        self.world, self.chance, self.arrived, self.check = world, chance, arrived, check
        self.kills, self.slowest_s = 0, 0.0

    def must(self, condition, promise, what):
        """Failed unless the promise holds; the words are those that tests/seeded reads."""
        expect(condition, f"after {self.kills} kills, {promise}: {what}")

    # When it dies

    def strike(self):
        """Kills at a time, at a commit, or at a send, whichever chance says."""
        self.chance.choice((self._at_a_time, self._at_a_commit, self._at_a_commit, self._at_a_send))()
        self.kill()

    def strike_asked(self, question):
        """Kills while the daemon answers: as soon as the first byte is there, or a moment after the question."""
        time.sleep(self.chance.uniform(0, LIFE_S / 2))
        question.ask()
        if self.chance.random() < 0.5:
            question.wait(1)
        else:
            time.sleep(self.chance.uniform(0, 0.004))
        self.kill()
        return question.answer()

    def kill(self):
        self.world.kill()
        self.kills += 1
        self.check()

    def _at_a_time(self):
        time.sleep(self.chance.uniform(0, LIFE_S))

    def _at_a_commit(self):
        """Each transaction is written to the WAL: the n-th of this life, and perhaps the next ones."""
        path, times = os.path.join(self.world.state_dir, "tocsin.db-wal"), set()

        def is_written():
            with contextlib.suppress(OSError):
                times.add(os.stat(path).st_mtime_ns)
            return len(times) > wanted

        wanted = self.chance.randint(1, 8)
        spin(is_written, LIFE_S)
        time.sleep(self.chance.uniform(0, 0.003))

    def _at_a_send(self):
        wanted = self.arrived() + self.chance.randint(1, 2)
        spin(lambda: self.arrived() >= wanted, LIFE_S)
        time.sleep(self.chance.uniform(0, 0.02))

    # How it lives again

    def rise(self):
        """Starts the daemon until it is ready; now and then a start is killed, too."""
        while self.chance.random() < AT_START:
            self.world.start(ready=False)
            time.sleep(self.chance.uniform(0, 0.06))
            self.kill()
        began = time.monotonic()
        self.world.start(ready=False)
        if not spin(self.world._ready, READY_MOST_S):
            raise Failed(f"after {self.kills} kills, ready again: not within {READY_MOST_S} s")
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)


class Question:
    """One call of the socket that a kill may cut short."""

    def __init__(self, world, path, method, body=None):
        self.world, self.path, self.method, self.body = world, path, method, body
        self.connection = None

    def ask(self):
        self.connection = self.world.ask(self.path, self.method, self.body)

    def wait(self, most_s):
        select.select([self.connection.sock], [], [], most_s)

    def answer(self):
        """(status, decoded answer) if all of it was written before the daemon died, else None."""
        try:
            return self.world.answer(self.connection)
        except (OSError, ValueError, http.client.HTTPException):
            return None
        finally:
            self.connection.close()


@contextlib.contextmanager
def state_file(world):
    """A connection to a copy of the state file and its WAL: opening recovers, and what the daemon finds must stay."""
    folder = os.path.join(world.dir, "copy")
    os.makedirs(folder, exist_ok=True)
    for name in ("tocsin.db", "tocsin.db-wal"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(os.path.join(world.state_dir, name), os.path.join(folder, name))
    connection = sqlite3.connect(os.path.join(folder, "tocsin.db"))
    try:
        connection.execute("PRAGMA synchronous=OFF")
        connection.row_factory = sqlite3.Row
        yield connection
    finally:
        connection.close()
        shutil.rmtree(folder)


def is_whole(state):
    try:
        return state.execute("PRAGMA quick_check").fetchone()[0] == "ok"
    except sqlite3.DatabaseError:  # too damaged to be checked
        return False
