"""A waiting line with a million in it on PostgreSQL, and what is measured of it."""

import os
import random
import subprocess
import sys
import time

import wrk
from cluster import best, fresh, psql
from server import ENVIRONMENT, usher

PEOPLE = int(os.environ.get("PEOPLE", 1000000))
# One in so many who joined has left again: positions are not just numbers.
LEFT_ONE_IN = 11
TOKENS = min(100000, PEOPLE)
JOIN_SECONDS, JOIN_CONNECTIONS = 4, (64, 256)
BY_HAND_TIMES = 8192
ME = "/api/v1/queue/tokens/me"
FILL = """
INSERT INTO tokens (queue, number, user_id, status, issued_at)
SELECT q.queue, n, 'user-' || n, 'WAITING', now() FROM queues AS q, generate_series(1, {0}) AS n;
UPDATE queues SET issued = {0}, version = version + {0};
"""


class Line:
    """The databases that each round begins with, `waiting` and `empty`, and the tokens of the former."""

    def __init__(self, cluster, programs, work):
        self.cluster, self.programs, self.work = cluster, programs, work
        fresh("waiting")
        with self.serve("waiting"):
            pass
        fresh("empty", "waiting")
        last = PEOPLE * LEFT_ONE_IN // (LEFT_ONE_IN - 1)
        psql("waiting", "-c", FILL.format(last), "-c", "VACUUM ANALYZE")
        epoch, queue = psql("waiting", "-c", "SELECT encode(epoch, 'hex'), queue FROM queues").split("|")
        seal = [programs["seal"], epoch, queue, str(last)]
        tokens = subprocess.run(seal, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout.split()
        left = set(random.sample(range(last), last - PEOPLE))
        with self.serve("waiting") as server:
            wrk.each(server, "leave", self.file("leavers", [tokens[i] for i in left]), len(left))
        psql("waiting", "-c", "VACUUM ANALYZE")
        self.waiting = [token for i, token in enumerate(tokens) if i not in left]

    def serve(self, database, scheduler="off"):
        # Nobody is admitted until the policy says otherwise.
        return usher(self.programs["usher"], self.cluster.url(database), "--scheduler", scheduler, "--max-active", "0")

    def file(self, name, lines):
        path = os.path.join(self.work, name)
        with open(path, "w") as file:
            file.writelines(f"{line}\n" for line in lines)
        return path

    def checked(self, server, places):
        """Polls each token once, whose position has to be right: a file of the tokens, and what the server has resident then."""
        tokens = self.file("tokens", [f"{token} {position}" for token, position in places])
        began = time.monotonic()
        wrk.each(server, "check", tokens, len(places))
        resident = server.resident()
        print(f"  {len(places)} positions are as counted, in {time.monotonic() - began:.1f} s; {resident / 1e6:.1f} MB", file=sys.stderr)
        return tokens, resident

    def checked_sample(self, server):
        """The same of random tokens."""
        return self.checked(server, [(self.waiting[place], place + 1) for place in random.sample(range(PEOPLE), TOKENS)])

    def memory_of_one(self):
        """What a server has resident with one in line, who has polled as often as the sample of the million."""
        fresh("one", "empty")
        with self.serve("one") as server:
            token = server.ask("POST", "/api/v1/queue/tokens", body={"user_id": "first"})["token"]
            return self.checked(server, [(token, 1)] * TOKENS)[1]


def polls(server, bare, tokens):
    """`/healthz` of a bare actix server and of ours, and polls of waiting tokens."""
    return wrk.in_turn({"bare": (bare, "/healthz"), "healthz": (server, "/healthz"), "poll": (server, ME, tokens)})


def joins(server, database):
    """Joins of new users, by numbers of connections."""
    round_of = {}
    for connections in JOIN_CONNECTIONS:
        issued = "SELECT issued FROM queues"
        before = int(psql(database, "-c", issued))
        found = wrk.load("line.lua", server, JOIN_SECONDS, connections, "join", f"join-{connections}-")
        if int(psql(database, "-c", issued)) - before < found.answered:
            sys.exit(f"{found.answered} joins were answered, but fewer tokens were issued")
        round_of[f"join {connections}"] = found.rate
    return round_of


def joins_by_hand():
    """The same with pgbench, on a copy of the same line."""
    fresh("hand", "waiting")
    return {"join by hand": best("hand", "join-transaction", BY_HAND_TIMES)}
