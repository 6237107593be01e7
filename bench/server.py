"""The programs that are measured: how they are built and started, and what they are asked apart from load."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.parse

from cluster import ROOT

ADMIN_KEY = "the-admin-key-of-the-benches"
ENVIRONMENT = os.environ | {"USHER_TOKEN_KEY": "the token key of the benches", "USHER_ADMIN_KEY": ADMIN_KEY, "RUST_LOG": "warn"}


def build(*examples, root=ROOT):
    """The programs of a checkout by name: the server, and examples that are named `package/example`."""
    target = os.path.join(root, "target") if root != ROOT else os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    built, environment = os.path.join(target, "release"), os.environ | {"CARGO_TARGET_DIR": target}
    cargo = ["cargo", "build", "--release", "--locked", "-p"]
    subprocess.run([*cargo, "server"], check=True, cwd=root, env=environment)
    programs = {"usher": os.path.join(built, "usher")}
    for package, name in (example.split("/") for example in examples):
        subprocess.run([*cargo, package, "--example", name], check=True, cwd=root, env=environment)
        programs[name] = os.path.join(built, "examples", name)
    return programs


class Server:
    """A process that serves, until it is left."""

    def __init__(self, *command):
        self.name = os.path.basename(command[0])
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.url = next((line.split()[-1] for line in self.process.stdout if "listening on" in line), None)
        if not self.url:
            sys.exit(f"{command[0]} did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()

    def exchange(self, method, path, token=None, body=None):
        """Status and body, on a connection of its own: one that is kept may have been closed by the other end."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        connection.request(method, path, body and json.dumps(body), headers)
        with contextlib.closing(connection), connection.getresponse() as answer:
            return answer.status, answer.read()

    def told(self, method, path, token=None, body=None):
        """The body of an answer, which has to be a success."""
        status, told = self.exchange(method, path, token, body)
        if status not in (200, 201):
            sys.exit(f"{method} {path}: {status} {told.decode()}")
        return told

    def ask(self, method, path, token=None, body=None):
        """The same as JSON."""
        return json.loads(self.told(method, path, token, body))

    def ready(self):
        began = time.monotonic()
        status, told = self.exchange("GET", "/readyz")
        while status != 200:
            if time.monotonic() > began + 60:
                sys.exit(f"not ready: {status} {told.decode()}")
            status, told = self.exchange("GET", "/readyz")

    def resident(self):
        """Bytes of memory that are its own and in use."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))


def usher(program, database_url, *flags):
    """Ours, on a database."""
    return Server(program, "--listen", "127.0.0.1:0", "--database-url", database_url, *flags)
