#!/usr/bin/python3
"""kill -9 at any instant: every message that was owed arrives, and the state is what it was. CYCLES and SEED by name.

Each alarm is a group of its own for one receiver and one of a team's for the other; receivers are slow, fail or send
elsewhere now and then; alarms are silenced and acknowledged meanwhile. After each kill the state file must hold what
robustness' I1-I4 say; after each start, what was answered (I6); at rest, the last message that a receiver took about an
alarm says what its state is. It stops at the first promise that is not kept, and says after how many kills.
"""

import collections
import json
import os
import random
import shutil
import threading
import time

from catchers import HookCatcher
from killing import Killer, Question, is_whole, state_file
from world import expect, run, wait_for

CYCLES = int(os.environ.get("CYCLES", "15"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
ROUND = 1000  # cycles with one state file: it is read after each kill
REST = 50  # cycles from rest to rest
TOLD = 100  # cycles from one line of progress to the next
ALARMS, TEAMS = 8, 2
SOON_MS = 2000  # a group waits 1 s at most for its first turn, and 1 s for the next
FLIGHT_MAX = 4  # sends at once to one receiver
PUSHES_MAX = 750  # samples of one minute, each 2.5 times the last: more would be no double

ROUTES = """
route:
  receiver: people
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
  routes:
    - {receiver: crowd, matchers: ['team=~"t.*"'], group_by: [team], group_wait: 1s, continue: true}
    - {receiver: people}
"""


def configuration(url):
    alarms = "alarms:" + "".join(f"""
  - name: a{number}
    labels: {{team: t{number % TEAMS}}}
    metric: {{namespace: Test, metric_name: M{number}, statistic: Average, period: 60}}
    comparison_operator: ">"
    threshold: 0
    evaluation_periods: 1
    treat_missing_data: notBreaching
    settle: 1s
""" for number in range(ALARMS))
    return alarms + ROUTES + "receivers:" + "".join(f"""
  - name: {name}
    webhook: {{url: "{url}/{name}"}}""" for name in ("people", "crowd")) + "\n"


class Metrics:
    """Turns some metrics over: the newest of a minute's samples outweighs all before it."""

    def __init__(self, world, chance):
        self.world, self.chance = world, chance
        self.pushes = collections.Counter()  # minute -> samples of each metric, at most
        self.signs = [-1] * ALARMS

    def toggle(self):
        minutes = [int(time.time()) // 60 - back for back in range(3)]
        if max(self.pushes[minute] for minute in minutes) > PUSHES_MAX:
            return
        turned = [number for number in range(ALARMS) if self.chance.random() < 0.5]
        for number in turned:
            self.signs[number] *= -1
        self.world.sim("POST", "points", [
            {"namespace": "Test", "name": f"M{number}", "points": [
                [minute * 60, self.signs[number] * 2.5 ** self.pushes[minute]] for minute in minutes]} for number in turned])
        self.pushes.update(minutes)


class Came:
    """What came with one id."""

    def __init__(self, body):
        self.body, self.kinds, self.times, self.taken = body, {body}, 0, 0


class Receiver(HookCatcher):
    """Takes most messages at once; some late, some only the second or third time, and some after a person's retry."""

    def __init__(self, seed):
        super().__init__()
        self.came, self.total, self.is_well = {}, 0, True
        self._chance, self._mutex = random.Random(seed), threading.Lock()

    def decide(self, hook):
        key = hook.headers["Idempotency-Key"]
        with self._mutex:
            self.total += 1
            came = self.came.setdefault(key, Came(hook.body))
            came.kinds.add(hook.body)
            came.times += 1
            status, delay_s = self._draw(came.times)
        self.wait(delay_s)
        if status == 200:
            with self._mutex:
                came.taken += 1  # before the daemon can know
        return {"status": status}

    def _draw(self, times):
        chance = self._chance.random()
        if self.is_well or times > 2:
            return 200, 0
        if times == 2:
            return 503 if chance < 0.2 else 200, 0
        status = 503 if chance < 0.12 else 302 if chance < 0.15 else 404 if chance < 0.17 else 200
        return status, self._chance.uniform(0, 0.3) if self._chance.random() < 0.3 else 0

    def snapshot(self):
        """id -> (times, taken, kinds) of now."""
        with self._mutex:
            return {key: (came.times, came.taken, len(came.kinds)) for key, came in self.came.items()}

    def start_over(self):
        with self._mutex:
            self.came = {}


class Ledger:
    """What the state file said at the kills of a round: messages by their order, and what was on its way."""

    def __init__(self, world, receiver, killer):
        self.world, self.receiver, self.killer = world, receiver, killer
        self.seq, self.said = 0, {}  # (receiver, alarm) -> firing or resolved, by the last message
        self.flights = collections.Counter()  # id -> kills that found it on its way

    def look(self):
        """After a kill: the file, and what came, must agree."""
        with state_file(self.world) as state:
            self.killer.must(is_whole(state), "the file is whole", "quick_check found damage")
            rows = state.execute("SELECT id, receiver, state, attempts FROM outbox").fetchall()
            self._look_at_sends({row["id"]: row for row in rows})
            self._read_messages(state)
            self._look_at_groups(state)

    def _look_at_sends(self, rows):
        must, flying = self.killer.must, [row for row in rows.values() if row["state"] == "sending"]
        self.flights.update(row["id"] for row in flying)
        for name, count in collections.Counter(row["receiver"] for row in flying).items():
            must(count <= FLIGHT_MAX, "few are on their way (I11)", f"{count} to {name}")
        came = self.receiver.snapshot()
        for key, (times, taken, kinds) in came.items():
            row = rows.get(key)
            must(row, "an id is born with its message (I2)", f"{key} came and is not in the outbox")
            must(kinds == 1, "a retry sends the same bytes (I2)", f"{key} came in {kinds} kinds")
            must(times <= row["attempts"], "leased before it is sent (I3)",
                 f"{key} came {times} times, attempts is {row['attempts']}")
            must(taken - 1 <= self.flights[key], "twice only what was on its way (I3)",
                 f"{key} was taken {taken} times, and on its way at {self.flights[key]} kills")
        for key, row in rows.items():
            must(row["state"] != "delivered" or came.get(key, (0, 0, 0))[1], "delivered is what was taken (I4)",
                 f"{key} to {row['receiver']}, {row['attempts']} attempts")

    def _read_messages(self, state):
        for row in state.execute("SELECT seq, receiver, message_json FROM outbox JOIN outbox_message USING(seq) WHERE seq > ? "
                                 "ORDER BY seq", (self.seq,)):
            self.seq = row["seq"]
            for name, status in alarms_of(json.loads(row["message_json"])["webhook"]):
                self.said[row["receiver"], name] = status

    def _look_at_groups(self, state):
        must = self.killer.must
        groups = {(row["receiver"], row["labels_json"].replace(" ", "")): row
                  for row in state.execute("SELECT receiver, labels_json, due_ms, told_json FROM notification_group")}
        for row in state.execute("SELECT fingerprint, alarm, labels_json, firing_since_ms, resolved_ms FROM instance "
                                 "WHERE source = 'cloudwatch'"):
            labels = json.loads(row["labels_json"])
            since = row["firing_since_ms"] if not row["resolved_ms"] else 0
            for receiver, label in (("people", "alertname"), ("crowd", "team")):
                group = groups.get((receiver, '{"%s":"%s"}' % (label, labels[label])))
                told = json.loads(group["told_json"] or "{}").get(row["fingerprint"]) if group else None
                said = self.said.get((receiver, row["alarm"]))
                must((said == "firing") == bool(told), "told is what is in the outbox (I1)",
                     f"{row['alarm']} to {receiver}: told {told}, the last message said {said}")
                told_since, due_ms = told["starts_at"] if told else 0, group["due_ms"] if group else 0
                is_owed = 0 < due_ms <= time.time() * 1000 + SOON_MS
                must(told_since == since or is_owed, "a change and its debt are one commit (I1)",
                     f"{row['alarm']} fires since {since}, {receiver} knows of {told_since}, and its group is due at {due_ms}")


def alarms_of(webhook):
    return [(alert["labels"]["alertname"], alert["status"]) for alert in webhook["alerts"]
            if alert["labels"]["alertname"].startswith("a")]


class People:
    """Silences, acknowledges and retries; knows what was answered, and what a kill left unanswered."""

    def __init__(self, world, chance, killer):
        self.world, self.chance, self.killer = world, chance, killer
        self.silences, self.acks = {}, {}  # id -> alarm; fingerprint -> (since, answer)
        self.unsure = None  # what was asked for and not answered: either may have come to pass

    def draw(self):
        """(question, what to do with its answer): a silence, its end, or an acknowledgement."""
        firing = [entry for entry in self.world.instances() if entry["state"] == "ALARM" and entry["name"].startswith("a")]
        if firing and self.chance.random() < 0.4:
            return self._acknowledge(self.chance.choice(firing))
        if self.silences and self.chance.random() < 0.5:
            return self._end(self.chance.choice(sorted(self.silences)))
        return self._silence(f"a{self.chance.randrange(ALARMS)}")

    def _acknowledge(self, entry):
        key = entry["fingerprint"]
        question = Question(self.world, f"/v1/alarms/{key}/acknowledge", "POST", {"by": "test"})

        def take(answer):
            if answer is None:
                self.acks.pop(key, None)
            elif answer[0] == 200:  # else it has just ended
                self.acks[key] = (entry["since"], answer[1])
        return question, take

    def _end(self, key):
        question = Question(self.world, f"/v1/silences/{key}", "DELETE")

        def take(answer):
            expect(answer is None or answer[0] == 200, f"a silence is ended: {answer}")
            alarm = self.silences.pop(key)
            self.unsure = (key, alarm) if answer is None else None
        return question, take

    def _silence(self, name):
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 36000))
        question = Question(self.world, "/v1/silences", "POST", {
            "matchers": [{"name": "alertname", "value": name, "isRegex": False}], "endsAt": until,
            "createdBy": "test", "comment": "chance"})

        def take(answer):
            expect(answer is None or answer[0] == 200, f"a silence is made: {answer}")
            if answer is None:
                self.unsure = (None, name)
            else:
                self.silences[answer[1]["silenceID"]] = name
        return question, take

    def do(self):
        question, take = self.draw()
        question.ask()
        take(question.answer())

    def check_kept(self):
        """After a start: what was answered holds; what was not has come to pass, or it has not."""
        must, answered = self.killer.must, "what was answered is kept (I6)"
        active = {entry["id"] for entry in self.world.get("/v1/silences")["silences"] if entry["status"]["state"] == "active"}
        missing, more = set(self.silences) - active, active - set(self.silences)
        must(not missing, answered, f"silences are gone: {missing}")
        if more and self.unsure and self.unsure[0] in (None, *more):
            key = more.pop()
            self.silences[key] = self.unsure[1]
        must(not more, answered, f"silences that had ended are back: {more}")
        self.unsure = None
        for entry in self.world.instances():
            since, ack = self.acks.get(entry["fingerprint"], (None, None))
            if entry["state"] == "ALARM" and entry["since"] == since:
                must(entry["acknowledged"] == ack, answered, f"{entry['name']} was acknowledged: {entry['acknowledged']}, {ack}")

    def retry_parked(self):
        for entry in self.world.get("/v1/notifications?state=parked")["notifications"]:
            self.world.api(f"/v1/notifications/{entry['id']}/retry", "POST")  # one by a reload or twice: refused

    def end_silences(self):
        for key in self.silences:
            expect(self.world.api(f"/v1/silences/{key}", "DELETE")[0] == 200, "a silence is ended")
        self.silences = {}


def all_notifications(world):
    """Newest first."""
    found, after = [], ""
    while after is not None:
        page = world.get(f"/v1/notifications?limit=1000{after and f'&after={after}'}")
        found, after = found + page["notifications"], page["next"]
    return found


def disagreements(world, receiver, people):
    """What is owed, and whose state the receivers were not told."""
    people.retry_parked()
    every = all_notifications(world)
    wrong = [f"{entry['id']} to {entry['receiver']} is {entry['state']}" for entry in every if entry["state"] != "delivered"]
    told = {}
    for entry in every:
        for name, status in alarms_of(json.loads(receiver.came[entry["id"]].body)) if entry["id"] in receiver.came else []:
            told.setdefault((entry["receiver"], name), status)
    for entry in world.instances():
        if not entry["name"].startswith("a") or entry["name"] in people.silences.values():
            continue
        status = "firing" if entry["state"] == "ALARM" else "resolved"
        wrong += [f"{to} was told that {entry['name']} is {told.get((to, entry['name']))}, and it is {status}"
                  for to in ("people", "crowd") if told.get((to, entry["name"]), "resolved") != status]
    return wrong


class Test:
    """One state file after the other, and what all of them come to."""

    def __init__(self, world):
        self.world, self.chance = world, random.Random(SEED)
        world.simulator({}, "--seed", str(SEED % 1000))
        self.receiver = Receiver(SEED)
        world.stack.callback(self.receiver.close)
        world.configure(configuration(self.receiver.url), log={"level": "info"})
        self.metrics = Metrics(world, self.chance)
        self.killer = Killer(world, self.chance, lambda: self.receiver.total, lambda: self.ledger.look())
        self.messages = self.twice = self.flights = 0

    def rest(self):
        """No more kills for a while, and receivers that take all: nothing may be left to tell."""
        self.receiver.is_well, wrong = True, []

        def agree():
            wrong[:] = disagreements(self.world, self.receiver, self.people)
            return not wrong
        try:
            wait_for(agree, 60, "rest")
        except AssertionError:
            self.killer.must(False, "at rest all is told (0 lost)", "; ".join(wrong[:5]))
        self.receiver.is_well = False

    def cycle(self):
        self.metrics.toggle()
        if self.chance.random() < 0.5:
            self.people.do()
        if self.chance.random() < 0.3:
            question, take = self.people.draw()
            take(self.killer.strike_asked(question))
        else:
            self.killer.strike()
        self.killer.rise()
        self.people.check_kept()
        self.people.retry_parked()

    def tell(self, done):
        print(f"{done} cycles, {self.killer.kills} kills, ready within {1000 * self.killer.slowest_s:.0f} ms", flush=True)

    def round(self, done, cycles):
        """A life of the state file, from nothing to a clean stop."""
        self.ledger = Ledger(self.world, self.receiver, self.killer)
        self.people = People(self.world, self.chance, self.killer)
        self.world.start()
        for number in range(1, cycles + 1):
            self.cycle()
            if number % REST == 0:
                self.rest()
            if (done + number) % TOLD == 0:
                self.tell(done + number)
        self.people.end_silences()
        self.rest()
        self.world.stop()
        self.ledger.look()
        self.count()
        shutil.rmtree(self.world.state_dir)
        self.receiver.start_over()

    def count(self):
        came = self.receiver.snapshot().values()
        self.messages += len(came)
        self.twice += sum(max(taken - 1, 0) for _, taken, _ in came)
        self.flights += sum(self.ledger.flights.values())


def scenario(world):
    print(f"SEED={SEED} CYCLES={CYCLES}", flush=True)
    test = Test(world)
    for done in range(0, CYCLES, ROUND):
        test.round(done, min(ROUND, CYCLES - done))
    expect(test.twice <= test.flights, f"{test.twice} came twice, and {test.flights} were on their way at a kill")
    print(f"figure: {test.killer.kills} kills, SEED={SEED}: {test.messages} messages, 0 lost, {test.twice} twice (of "
          f"{test.flights} on their way at a kill), ready within {1000 * test.killer.slowest_s:.0f} ms")


run(scenario)
