"""Load by wrk, with one thread, whose every answer has to be a success."""

import collections
import os
import shutil
import statistics
import subprocess
import sys
import typing

from cluster import ROOT

CONNECTIONS = 64


class Load(typing.NamedTuple):
    """What a load found: answers a second, how many there were, latencies in milliseconds."""

    rate: float
    answered: int
    p50: float
    p99: float


def install():
    if not shutil.which("wrk"):
        subprocess.run("apt-get update -qq && apt-get install -y -qq wrk", shell=True, check=True)


def wrk(script, url, seconds, connections, *arguments):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", f"bench/{script}", url]
    return subprocess.run([*command, "--", *arguments], check=True, capture_output=True, text=True, cwd=ROOT).stdout


def load(script, server, seconds, connections, *arguments):
    """An operation of a script of this directory, which ends by itself or is ended after so many seconds."""
    ran = wrk(script, server.url, seconds, connections, *arguments)
    words = next((line.split()[1:] for line in ran.splitlines() if line.startswith("RESULT ")), None)
    if words is None or int(words[4]) > 0 or int(words[3]) == 0:
        sys.exit(f"{' '.join(arguments)} failed:\n{ran}")
    found = Load(float(words[0]), int(words[3]), float(words[1]) / 1000, float(words[2]) / 1000)
    told = f"{found.rate:,.0f} a second, {found.answered:,} answers, p50 {found.p50:.2f} ms, p99 {found.p99:.2f} ms"
    print(f"  {server.name}: {arguments[0]} {os.path.basename(arguments[1])} -c {connections}: {told}", file=sys.stderr)
    return found


def get(server, path, tokens="", seconds=3, connections=CONNECTIONS):
    """A path got again and again, by the callers whose tokens a file lists, if any."""
    return load("line.lua", server, seconds, connections, "get", path, tokens)


def in_turn(targets, seconds=3, connections=CONNECTIONS):
    """Gets several things, each a server and what `get` takes, in turn, twice: answers a second by name. What is got once
    before is not counted: it finds pages and connections cold."""
    rates = collections.defaultdict(list)
    for turn in range(3):
        for name, (server, *what) in targets.items():
            rates[name].append(get(server, *what, seconds=seconds if turn else 1, connections=connections).rate)
    return {name: statistics.mean(counted) for name, (_, *counted) in rates.items()}


def each(server, operation, file, count):
    """Does each token of a file once, within two minutes; every answer has to be right."""
    ran = wrk("line.lua", server.url, 120, CONNECTIONS, operation, file)
    if ran.strip().splitlines()[-1:] != [f"RIGHT {count}"]:
        sys.exit(f"{operation}: not all answers were right:\n{ran}")
