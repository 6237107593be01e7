"""A sale over HTTP by bench/sale.lua: people who join, charge, hold a seat each and pay it."""

import os

import wrk
from server import ADMIN_KEY

# Everybody is admitted at once, and nothing expires while it is measured.
FLAGS = ["--hold-seconds", "3600", "--active-seconds", "7200", "--max-active", "10000000", "--admit-batch", "10000000"]
# An operation that is not done after so many seconds ends there.
SECONDS = 20


def schedule(server, seats):
    """The id of one in a new concert."""
    seats = [{"count": seats, "price": 1000}]
    concert = {"title": "Bench", "schedules": [{"starts_at": "2099-01-01T19:00:00Z", "seats": seats}]}
    return server.ask("POST", "/api/v1/admin/concerts", ADMIN_KEY, concert)["schedules"][0]["id"]


class Crowd:
    """People with a schedule of their own, and a seat there for each. Each operation is of those who did the one before."""

    def __init__(self, server, work, name, people, connections):
        self.server, self.people, self.connections = server, people, connections
        self.folder = os.path.join(work, name)
        os.makedirs(self.folder, exist_ok=True)
        self.schedule = schedule(server, people)

    def do(self, operation, extra=""):
        return wrk.load("sale.lua", self.server, SECONDS, self.connections, operation, self.folder, extra)

    def join(self):
        return self.do("join", str(self.people))

    def charge(self):
        return self.do("charge")

    def hold(self):
        return self.do("hold", self.schedule)

    def pay(self):
        return self.do("pay")

    def tokens(self):
        """A file with the token of each who joined."""
        return os.path.join(self.folder, "tokens")
