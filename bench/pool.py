#!/usr/bin/env python3
"""The pool against other allocators, on eight allocation patterns (patterns.c says what each does).

heapwright's shared pool is compared with the best single mimalloc: of the system's (libmimalloc.so.2) and of the
libraries that PEER_LIBS names (paths with colons between), the one with the lowest geometric mean of its times. Other
allocators are shown for information. The last lines are `ratio NAME VALUE GOAL`: ours divided by the peer's, and what
is asked for.
"""

import argparse
import json
import os
import statistics
import time

import harness

PATTERNS = {  # repetitions in a process
    "tight": 5, "lifo1000": 5, "fifo10k": 5, "rand10k": 5, "rand1M": 5, "grow1M_then_free": 5,
    "rand100k_2threads": 3, "xthread_free_batch20k": 3,
}
THREADED = ("rand100k_2threads", "xthread_free_batch20k")
RESIDENT = "resident"
RESIDENT_ROUNDS = 3
MEBI = 1 << 20


class Allocator:
    """A program to run: the patterns compiled for one allocator, perhaps with a library preloaded."""

    def __init__(self, program, preload="", shared=True, name=None):
        self.command, self.preload, self.shared = program, preload, shared
        answer = self.ask("tight", 1)
        self.name = name or answer["allocator"]
        self.library = answer["library"]
        expected = (preload, os.path.realpath(preload))
        found = (os.path.basename(self.library), os.path.realpath(self.library))
        if preload and not set(expected) & set(found):
            raise harness.Failed(f"{preload} was not loaded: malloc comes from {self.library}")

    def ask(self, pattern, repetitions):
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "LD_PRELOAD": self.preload}
        result = harness.run([self.command, pattern, str(repetitions)] + ([] if self.shared else ["unshared"]), env)
        return json.loads(result.stdout)

    def can(self, pattern):
        return self.shared or pattern not in THREADED


def find_allocators(build):
    """Returns {name: Allocator} and the reasons why some are missing."""
    directory = os.path.join(build, "bench")
    programs = {kind: os.path.join(directory, f"patterns-{kind}") for kind in ("pool", "malloc", "pymalloc")}
    for kind in ("pool", "malloc"):
        if not os.path.exists(programs[kind]):
            raise harness.Failed(f"{programs[kind]} is not there; `make bench-pool` builds it")
    found = [Allocator(programs["pool"], name="ours"), Allocator(programs["pool"], shared=False, name="ours, unshared")]
    missing = []
    if os.path.exists(programs["pymalloc"]):
        found.append(Allocator(programs["pymalloc"], shared=False))
    else:
        missing.append("pymalloc: no libpython to link to when this was built (package libpython3-dev)")
    for path in filter(None, os.environ.get("PEER_LIBS", "").split(":")):
        if not os.path.exists(path):
            raise harness.Failed(f"PEER_LIBS names {path}, which is not there")
        found.append(Allocator(programs["malloc"], os.path.abspath(path)))
    for soname, package in (("libmimalloc.so.2", "libmimalloc2.0"), ("libjemalloc.so.2", "libjemalloc2")):
        try:
            found.append(Allocator(programs["malloc"], soname))
        except harness.Failed:
            missing.append(f"{soname}: not installed (package {package})")
    found.append(Allocator(programs["malloc"]))
    for i, allocator in enumerate(found):
        if any(other.name == allocator.name for other in found[:i]):
            allocator.name += f" ({allocator.library})"
    return {allocator.name: allocator for allocator in found}, missing


def measure_times(allocators, patterns, rounds, progress):
    """Returns {pattern: {name: [median ns of each round's process]}}."""
    def one(pattern):
        names = [name for name, allocator in allocators.items() if allocator.can(pattern)]
        return harness.take_turns(
            rounds, names, lambda name: statistics.median(allocators[name].ask(pattern, PATTERNS[pattern])["ns"]),
            progress, pattern)
    return {pattern: one(pattern) for pattern in patterns}


def best_mimalloc(figures):
    """The one mimalloc with the lowest geometric mean over {pattern: {name: [figure of each round]}}."""
    names = [name for name in next(iter(figures.values())) if name.startswith("mimalloc")]
    if not names:
        raise harness.Failed("no mimalloc to compare with: install libmimalloc2.0, or name one in PEER_LIBS")
    return min(names, key=lambda name: statistics.geometric_mean(
        statistics.median(by_name[name]) for by_name in figures.values()))


def show_times(times, names, peer):
    rows = []
    for pattern, by_name in times.items():
        median, low, high = harness.paired(by_name["ours"], by_name[peer])
        cells = [f"{statistics.median(by_name[name]):.1f}" if name in by_name else "-" for name in names]
        rows.append([pattern, *cells, f"{median:.3f} ({low:.2f}-{high:.2f})"])
    harness.print_table(f"ns of thread CPU time per allocation and free; ratio: ours to {peer}, median (range)",
                        ["pattern", *names, "ratio"], rows)


def show_resident(sizes, names):
    rows = [[name] + [f"{statistics.median(size[i] for size in sizes[name]) / MEBI:.1f}" for i in (0, 1)]
            for name in names]
    harness.print_table("resident MiB after rand1M, and a second after nine tenths of its blocks were freed at random",
                        ["allocator", "full", "freed"], rows)


def ratio_lines(times, sizes, peer, pymalloc):
    lines, above = [], 0
    for pattern, by_name in times.items():
        ratio = harness.paired(by_name["ours"], by_name[peer])[0]
        above += round(ratio, 3) > 1
        lines.append(harness.ratio_line(f"pool-{pattern}", ratio, 1.05))
    if len(times) == len(PATTERNS):
        lines.append(harness.ratio_line("rows-above-1.0", above, 2))
    for pattern in ("fifo10k", "rand10k"):
        if pymalloc and pattern in times:
            ratio = harness.paired(times[pattern]["ours"], times[pattern][pymalloc])[0]
            lines.append(harness.ratio_line(f"pool-{pattern}-pymalloc", ratio, 0.5))
    if sizes:
        for i, name in enumerate(("pool-rss-rand1M", "pool-rss-after-free")):
            ratio = harness.paired([size[i] for size in sizes["ours"]], [size[i] for size in sizes[peer]])[0]
            lines.append(harness.ratio_line(name, ratio, 1.0))
    return lines


def measure():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_options(parser, 7, "one round only: a look, not a measurement")
    parser.add_argument("--pattern", action="append", choices=[*PATTERNS, RESIDENT], metavar="NAME",
                        help="measure only this one (may be given several times): " + ", ".join([*PATTERNS, RESIDENT]))
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    chosen = options.pattern or [*PATTERNS, RESIDENT]
    patterns = [name for name in PATTERNS if name in chosen]
    resident_rounds = min(rounds, RESIDENT_ROUNDS) if RESIDENT in chosen else 0

    allocators, missing = find_allocators(harness.build_directory())
    names = list(allocators)
    pymalloc = next((name for name in names if name.startswith("pymalloc")), None)
    print(f"{harness.machine()}; {time.strftime('%Y-%m-%d')}; {rounds} rounds")
    for name in names:
        print(f"  {name}: {allocators[name].library}")
    for reason in missing:
        print(f"  skipped: {reason}")

    steps = sum(rounds for pattern in patterns for name in names if allocators[name].can(pattern))
    progress = harness.Progress(steps + resident_rounds * len(names))
    times = measure_times(allocators, patterns, rounds, progress)
    sizes = harness.take_turns(resident_rounds, names, lambda name: allocators[name].ask(RESIDENT, 1)["resident"],
                               progress, RESIDENT) if resident_rounds else {}

    peer = best_mimalloc(times or {RESIDENT: {name: [full for full, _ in sizes[name]] for name in names}})
    if times:
        show_times(times, names, peer)
    if sizes:
        show_resident(sizes, names)
    lines = ratio_lines(times, sizes, peer, pymalloc)
    print(f"\npeer: {peer}, the best mimalloc of those above", *lines, sep="\n")
    if options.json:
        harness.write_json(options.json, {
            "machine": harness.machine(), "date": time.strftime("%Y-%m-%d"), "rounds": rounds, "peer": peer,
            "libraries": {name: allocators[name].library for name in names},
            "ns": times, "resident": sizes, "ratios": lines})


if __name__ == "__main__":
    harness.main(measure)
