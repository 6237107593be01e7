"""What rounds found, each a dictionary of figures by name, as the texts of a report."""

import statistics
import subprocess

from cluster import ROOT


def middle(rounds, name):
    return statistics.median(found[name] for found in rounds)


def rate(rounds, name):
    return f"{middle(rounds, name):,.0f}"


def ratio(rounds, ours, theirs):
    """The median of the rounds' ratios."""
    return f"{statistics.median(found[ours] / found[theirs] for found in rounds):.2f}"


def circumstances(*more):
    """The date, the commit, the number of cores, and what other commands print."""
    commands = "date -u +%F", "git describe --always --dirty --exclude *", "nproc", *more
    return [subprocess.run(command.split(), check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip() for command in commands]
