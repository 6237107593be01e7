"""A throw-away PostgreSQL cluster with fsync and synchronous_commit on, and pgbench on it: for the scripts of this directory."""

import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SQL = os.path.join(ROOT, "bench", "pgbench")
SETTINGS = ["listen_addresses=", "shared_buffers=1GB", "max_wal_size=8GB", "max_connections=300"]
# The numbers of connections of which pgbench's best one counts.
MANY = (8, 32, 128)


def install():
    os.environ["PATH"] += "".join(f":{bin}" for bin in glob.glob("/usr/lib/postgresql/*/bin"))
    if not all(shutil.which(tool) for tool in ("initdb", "postgres", "pgbench", "psql")):
        if subprocess.run(["bash", "-euc", ". tests/prerequisites", sys.argv[0]], cwd=ROOT).returncode != 0:
            sys.exit(1)
        os.environ["PATH"] += "".join(f":{bin}" for bin in glob.glob("/usr/lib/postgresql/*/bin"))


class Cluster:
    """A PostgreSQL server of its own, reached through a socket in its directory."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="usher-bench-")
        self.as_user = []
        if os.getuid() == 0:  # which PostgreSQL refuses to run as
            shutil.chown(self.directory, "nobody")
            self.as_user = ["runuser", "-u", "nobody", "--"]
        data = os.path.join(self.directory, "data")
        initdb = ["initdb", "-D", data, "-U", "usher", "-A", "trust", "-E", "UTF8", "--locale", "C"]
        subprocess.run(self.as_user + initdb, check=True, stdout=subprocess.DEVNULL, cwd="/")
        settings = [word for setting in SETTINGS for word in ("-c", setting)]
        server = [shutil.which("postgres"), "-D", data, "-k", self.directory] + settings
        self.log = open(os.path.join(self.directory, "log"), "w")
        self.process = subprocess.Popen(self.as_user + server, stdout=self.log, stderr=self.log, cwd="/")
        os.environ.update(PGHOST=self.directory, PGUSER="usher", PGOPTIONS="-c client_min_messages=warning")
        for _ in range(300):
            if subprocess.run(["psql", "-qc", "SELECT 1", "postgres"], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        sys.exit("PostgreSQL did not start:\n" + open(os.path.join(self.directory, "log")).read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with open(os.path.join(self.directory, "data", "postmaster.pid")) as file:
            os.kill(int(file.readline()), signal.SIGINT)
        self.process.wait()
        shutil.rmtree(self.directory)

    def url(self, database):
        return f"postgres://usher@{self.directory.replace('/', '%2F')}/{database}"


def psql(database, *arguments):
    """What it prints, without alignment and headings."""
    command = ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", *arguments, database]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def fresh(database, template="template0"):
    psql("postgres", "-c", f"DROP DATABASE IF EXISTS {database}", "-c", f"CREATE DATABASE {database} TEMPLATE {template}")
    psql("postgres", "-c", "CHECKPOINT")


def filled(database, people):
    """A database with our tables and so many rows of each kind as the statements in bench/pgbench expect."""
    fresh(database)
    for migration in sorted(glob.glob(os.path.join(ROOT, "migrations", "postgres", "*", "up.sql"))):
        psql(database, "-f", migration)
    psql(database, "-v", f"people={people}", "-f", os.path.join(SQL, "fill.sql"))


def pgbench(database, statement, clients, times, first):
    """Transactions a second; they use `times` rows from `first`."""
    command = ["pgbench", "-n", "-M", "prepared", "-j", str(min(2, clients)), "-c", str(clients), "-t", str(times // clients)]
    variables = [word for value in (f"base={first}", f"clients={clients}", "i=-1") for word in ("-D", value)]
    script = os.path.join(SQL, f"{statement}.sql")
    ran = subprocess.run(command + variables + ["-f", script, database], check=True, capture_output=True, text=True)
    if not re.search(r"number of failed transactions: 0 ", ran.stdout):
        sys.exit(f"{statement} failed:\n{ran.stdout}{ran.stderr}")
    rate = float(re.search(r"tps = ([0-9.]+)", ran.stdout)[1])
    print(f"  {statement}.sql -c {clients}: {rate:,.0f} a second", file=sys.stderr)
    return rate


def best(database, statement, times, first=1):
    """Transactions a second with the number of connections that is best; each number uses `times` rows, one after another from `first`."""
    return max(pgbench(database, statement, clients, times, first + turn * times) for turn, clients in enumerate(MANY))
