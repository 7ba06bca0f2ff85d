#!/usr/bin/env python3
"""The kinds against CPython's C API and GLib: the same values built, read and dropped, each in a process of its own.

Compared are CPU seconds of each part, and the bytes by which the process grew. The document is read by the same parser on both sides, whose
time is in both figures; its memory is compared with that of Python's json.load. The last lines are `ratio NAME VALUE GOAL`: ours divided by the peer's, and what is
asked for.
"""

import argparse
import os
import statistics
import sys
import time

import harness

PEERS = {"cpython": 0.8, "glib": 1.0}
# The parts that say something: building, reading, dropping; and whether memory does.
WORKLOADS = {
    "small-ints": ("build read drop", True), "distinct-ints": ("build read drop", True), "words": ("build read drop", True),
    "dict": ("build read drop", True), "append": ("build drop", False), "dict-get": ("read", False), "dict-set": ("read", False),
    "concat": ("build", False), "intern": ("build", False), "document": ("build read drop", True),
    "objects": ("build read drop", True), "attributes": ("read", False),
}
NOT_OF_GLIB = ("small-ints", "distinct-ints", "intern", "document", "objects", "attributes")
MEMORY_GOAL = 0.75
PARTS = ("build", "read", "drop")
MEBI = 1 << 20


def run(program, workload):
    """{"build": seconds, ..., "bytes": number, "check": text}"""
    words = harness.run([program, workload], dict(os.environ)).stdout.split()
    if program.endswith("cpython") and workload == "document":  # the memory that a Python program needs, which calls json.load
        words[3] = harness.run([program, "json-load"], dict(os.environ)).stdout.split()[3]
    return dict(zip(PARTS, map(float, words)), bytes=int(words[3]), check=words[4])


def prepare_document(folder):
    """Makes the JSON document that "document" reads, and says to the programs where it is. False if they were built without it."""
    if b"KINDS_DOCUMENT" not in open(os.path.join(folder, "kinds-ours"), "rb").read():
        return False
    os.environ["KINDS_DOCUMENT"] = os.path.join(folder, "document.json")
    maker = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kinds", "document.py")
    harness.run([sys.executable, maker, os.environ["KINDS_DOCUMENT"]], dict(os.environ))
    print(f"the document: {os.path.getsize(os.environ['KINDS_DOCUMENT']):,} bytes of JSON, of what this machine has installed")
    return True


def measure_workload(folder, workload, rounds, progress):
    """{side: [what run() returns, each round]}"""
    sides = ["ours"] + [peer for peer in PEERS if os.path.exists(os.path.join(folder, "kinds-" + peer))
                        and not (peer == "glib" and workload in NOT_OF_GLIB)]
    runs = harness.take_turns(rounds, sides, lambda side: run(os.path.join(folder, "kinds-" + side), workload), progress, workload)
    checks = {one["check"] for results in runs.values() for one in results}
    if len(checks) != 1:
        raise harness.Failed(f"{workload}: the programs disagree: {', '.join(sorted(checks))}")
    return runs


def compare(workload, runs):
    """Rows of the table, and lines of ratios."""
    parts, weighs = WORKLOADS[workload]
    rows, lines = [], []
    for figure in (*parts.split(), *(["bytes"] if weighs else [])):
        medians = {side: statistics.median(one[figure] for one in results) for side, results in runs.items()}
        form = (lambda value: f"{value / MEBI:.1f} MiB") if figure == "bytes" else (lambda value: f"{value * 1000:.2f} ms")
        ratios = {peer: harness.paired([one[figure] for one in runs["ours"]], [one[figure] for one in runs[peer]])[0]
                  for peer in runs if peer != "ours" and not (peer == "glib" and figure == "bytes")}
        rows.append([f"{workload}: {figure}", form(medians["ours"]),
                     *(text for peer in PEERS for text in
                       ((form(medians[peer]), f"{ratios[peer]:.3f}") if peer in ratios else ("", "")))])
        lines += [harness.ratio_line(f"kinds-{workload}-{figure}-{peer}", ratio, MEMORY_GOAL if figure == "bytes" else PEERS[peer])
                  for peer, ratio in ratios.items()]
    return rows, lines


def measure():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_options(parser, 7, "one round: a look, not a measurement")
    parser.add_argument("--workload", action="append", choices=list(WORKLOADS), metavar="NAME",
                        help="measure only this one (may be given several times): " + ", ".join(WORKLOADS))
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    folder = os.path.join(harness.build_directory(), "bench")
    for peer, package in ("cpython", "libpython3-dev"), ("glib", "libglib2.0-dev"):
        if not os.path.exists(os.path.join(folder, "kinds-" + peer)):
            print(f"skipped: {peer}, for want of package {package} when this was built")

    print(f"{harness.machine()}; {time.strftime('%Y-%m-%d')}; {rounds} rounds")
    chosen = options.workload or list(WORKLOADS)
    if "document" in chosen and not prepare_document(folder):
        print("skipped: document, for want of package libyajl-dev when this was built")
        chosen.remove("document")
    progress = harness.Progress(rounds * sum(1 + sum(not (peer == "glib" and name in NOT_OF_GLIB) for peer in PEERS) for name in chosen))
    runs = {name: measure_workload(folder, name, rounds, progress) for name in chosen}
    rows, lines = [], []
    for name in chosen:
        more_rows, more_lines = compare(name, runs[name])
        rows += more_rows
        lines += more_lines
    harness.print_table("medians; ratios: ours to the peer's, medians of the rounds", ["", "ours", "CPython", "", "GLib", ""], rows)
    print("", *lines, sep="\n")
    if options.json:
        harness.write_json(options.json, {"machine": harness.machine(), "date": time.strftime("%Y-%m-%d"), "runs": runs, "ratios": lines})


if __name__ == "__main__":
    harness.main(measure)
