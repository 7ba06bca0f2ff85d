#!/usr/bin/env python3
"""The tracing collector against libgc, Java's Serial collector, and malloc.

Each program of tracing/*.c runs on a heap of ours, its roots named by frames (and, where it says so, its stacks scanned), and on libgc: as it comes, and at its best
(GC_malloc_many, no pointers into the middle of objects). tracing/memory.h says how one text does that. Java runs the same work from tracing/*.java; mimalloc is
preloaded, and every tree freed by the program. Compared are CPU time (user and system) and the most resident memory, of whole processes.

Rows with a heap size (2x, 3x, 4x: so many times what is alive at most; then the number of mutators) have it fixed on both sides, and libgc is given all of it at the
beginning. Where libgc runs out of it, the row has no ratio. The last lines are `ratio NAME VALUE GOAL`: ours divided by the peer's, or a figure, and what is asked for.
"""

import argparse
import os
import shutil
import statistics
import time

import counting
import harness
import pool

OURS, STACKS, LIBGC, BEST, JAVA = "ours", "ours, stacks", "libgc", "libgc, best", "Java Serial"
TWO_MARKERS = "ours, two markers"
SUFFIXES = {OURS: "exact", STACKS: "stacks", LIBGC: "libgc", BEST: "libgc-best"}
OUT_OF_MEMORY = 3
MEBI = 1 << 20
MEMORY_GOAL, SMALL_MEMORY_GOAL, SMALL = 1.0, 1.1, 32e6
SIZED_GOAL, PROGRAM_GOAL, MARKING_GOAL, MARKERS_GOAL = 0.55, 0.6, 0.25, 1.0
MEDIAN_PAUSE_GOAL, P99_PAUSE_GOAL, SCALING_GOAL, BARRIER_GOAL = 0.3, 1.0, 1.2, 1.5
LIVE = {"mt-gcbench": 2 * 131071 * 32 + 500_000 * 8, "quads": 1_398_101 * 40}  # bytes, at most, of one mutator
DEPTH = 18


class Result:
    """What one process took: `figures` are those that it printed."""

    def __init__(self, run):
        self.figures = {name: float(figure) for name, figure in map(str.split, run.stdout.splitlines())}
        self.cpu = run.cpu
        self.peak = self.figures.get("peak", run.peak)


def cpu(result):
    return result.cpu


def peak(result):
    return result.peak


def run(command, preload=""):
    """Returns a Result, or None if the program ran out of memory."""
    try:
        return Result(harness.run(command, counting.environment(preload)))
    except harness.Failed as problem:
        if problem.status == OUT_OF_MEMORY:
            return None
        raise


class Row:
    """Sides that take turns: {name: (command, library to preload)}. `goals` are (name, side, peer, goal); the memory of the sides in `weighed` is compared with libgc's."""

    def __init__(self, name, commands, goals=(), weighed=(OURS,)):
        self.name, self.commands, self.goals, self.weighed = name, commands, goals, weighed
        self.results = {}

    def measure(self, rounds, progress):
        self.results = harness.take_turns(rounds, list(self.commands), lambda side: run(*self.commands[side]), progress, self.name)

    def figures(self, side, what):
        """Of each round; None where memory ran out."""
        return [what(result) if result else None for result in self.results.get(side, [])]

    def paired(self, side, peer, what):
        """(median, lowest, highest) ratio of the rounds in which the peer ran; None if it did not in most of them. Infinite if ours did not."""
        both = list(zip(self.figures(side, what), self.figures(peer, what)))
        ran = [(ours, theirs) for ours, theirs in both if theirs]
        if not both or 2 * len(ran) <= len(both):
            return None
        if not all(ours for ours, _ in ran):
            return (float("inf"),) * 3
        return harness.paired(*zip(*ran))

    def lines(self):
        lines = []
        for name, side, peer, goal in self.goals:
            ratio = self.paired(side, peer, cpu)
            if ratio:
                lines.append(harness.ratio_line(name, ratio[0], goal))
        for side in self.weighed:
            ratio = self.paired(side, LIBGC, peak)
            if ratio:
                small = statistics.median(filter(None, self.figures(LIBGC, peak))) < SMALL
                name = self.name + ("-stacks" if side == STACKS else "") + "-memory"
                lines.append(harness.ratio_line(name, ratio[0], SMALL_MEMORY_GOAL if small else MEMORY_GOAL))
        return lines

    def table(self):
        rows = []
        for side, results in self.results.items():
            ran = [result for result in results if result]
            if not ran:
                rows.append([f"{self.name}: {side}", "out of memory", "", "", "", ""])
                continue
            ratios = [self.paired(OURS, side, what) if side != OURS else None for what in (cpu, peak)]
            seconds = list(map(cpu, ran))
            rows.append([f"{self.name}: {side}" + (f" ({len(ran)} of {len(results)})" if len(ran) < len(results) else ""),
                         f"{statistics.median(seconds):.3f}", f"{min(seconds):.3f}-{max(seconds):.3f}",
                         f"{statistics.median(map(peak, ran)) / MEBI:.1f}",
                         *("{:.3f} ({:.2f}-{:.2f})".format(*ratio) if ratio else "" for ratio in ratios)])
        return rows


def per_object(result):
    return result.figures["ns-per-object"]


class Marking(Row):
    """Full collections: nanoseconds for an object, instead of the whole process's time."""

    def lines(self):
        ratio = self.paired(OURS, LIBGC, per_object)
        return ([harness.ratio_line(self.name, ratio[0], MARKING_GOAL)] if ratio else []) + super().lines()

    def table(self):
        rows = super().table()
        for row, results in zip(rows, self.results.values()):
            if all(results):
                row[0] += f": {statistics.median(map(per_object, results)):.2f} ns an object"
        return rows


class Markers(Marking):
    """The same by the clock, by one thread and by two. What is asked is no more than that two are faster."""

    def lines(self):
        ratio = self.paired(TWO_MARKERS, OURS, per_object)
        return [harness.ratio_line(self.name, ratio[0], MARKERS_GOAL)]


class Figures(Row):
    """Figures that ours prints, without a peer; `asked` is {figure: (name, goal)}."""

    def __init__(self, name, commands, asked):
        super().__init__(name, commands, weighed=())
        self.asked = asked

    def median(self, figure):
        printed = [result.figures.get(figure) if result else None for result in self.results[OURS]]
        return statistics.median(printed) if None not in printed else float("inf")

    def lines(self):
        return [harness.ratio_line(name, self.median(figure), goal) for figure, (name, goal) in self.asked.items()]

    def table(self):
        printed = self.results[OURS][0].figures if self.results[OURS][0] else ()
        return super().table() + [[f"{self.name}: {figure} {self.median(figure):.4g}", "", "", "", "", ""] for figure in printed if figure != "peak"]


class Scaling(Row):
    """The same work on one graph by one thread and, twice, by two."""

    def lines(self):
        ratio = self.paired(f"{OURS}, two", OURS, cpu)
        return [harness.ratio_line("two-mutators", ratio[0] / 2 if ratio else float("inf"), SCALING_GOAL)]


class Programs:
    """Finds what is to be run. `missing` says what is not there, and why."""

    def __init__(self, build):
        self.folder, self.missing = os.path.join(build, "bench"), []
        if not os.path.exists(self.path("gcbench", OURS)):
            raise harness.Failed(f"{self.path('gcbench', OURS)} is not there; `make bench-tracing` builds it")
        self.has_libgc = os.path.exists(self.path("gcbench", LIBGC))
        if not self.has_libgc:
            self.missing.append("libgc, and all ratios to it: not installed when this was built (package libgc-dev)")
        self.java = self.compile_java()
        self.mallocs = {name: found.preload for name, found in pool.find_allocators(build)[0].items() if name.startswith("mimalloc")}
        if not self.mallocs:
            self.missing.append("mimalloc: not installed (package libmimalloc2.0)")

    def path(self, program, side):
        return os.path.join(self.folder, f"{program}-{SUFFIXES[side]}")

    def compile_java(self):
        """The folder of the compiled classes, or None."""
        if not shutil.which("javac") or not shutil.which("java"):
            self.missing.append("Java: not installed (package default-jdk-headless)")
            return None
        folder = os.path.join(self.folder, "java")
        sources = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tracing")
        harness.run(["javac", "-d", folder, *(os.path.join(sources, name) for name in ("GCBench.java", "BinaryTrees.java"))],
                    counting.environment())
        return folder

    def commands(self, program, sides, *arguments):
        """Of those sides that are there."""
        return {side: ([self.path(program, side), *arguments], "") for side in sides if self.has_libgc or side in (OURS, STACKS)}

    def with_others(self, commands, heap, java_class, *malloc):
        """The same and Java, with so many MiB, and malloc."""
        others = {JAVA: (["java", "-cp", self.java, "-XX:+UseSerialGC", f"-Xmx{heap}m", java_class], "")} if self.java else {}
        for name, preload in self.mallocs.items():
            others[name] = ([os.path.join(self.folder, malloc[0]), *malloc[1:]], preload)
        return commands | others


def tree_rows(programs):
    """The two programs that all are compared on, and what is asked there: at most so much of libgc's time, of its best, and of libgc's with stacks scanned."""
    def row(name, arguments, java, malloc, asked):
        commands = programs.with_others(programs.commands(name, (OURS, STACKS, LIBGC, BEST), *arguments), *java, *malloc)
        goals = zip((name, f"{name}-best", f"{name}-stacks"), (OURS, OURS, STACKS), (LIBGC, BEST, LIBGC), asked)
        return [Row(name, commands, list(goals), (OURS, STACKS))]
    return {"gcbench": row("gcbench", [], (48, "GCBench"), ["gcbench-malloc"], (0.33, 0.80, 0.40)),
            "binary-trees": row("binary-trees", [f"depth={DEPTH}"], (75, "BinaryTrees"), ["trees-malloc", str(DEPTH)], (0.25, 0.60, 0.33))}


def program_rows(programs):
    return {name: [Row(name, programs.commands(name, (OURS, LIBGC)), [(name, OURS, LIBGC, PROGRAM_GOAL)])]
            for name in ("mixed", "graph", "cache", "splay")}


def sized_arguments(program, times, mutators):
    share = times * LIVE[program]
    return f"threads={mutators}", f"heap={share}", f"limit={share * mutators}"


def sized_rows(programs):
    def row(program, times, mutators):
        name = f"{program}-{times}x-{mutators}"
        commands = programs.commands(program, (OURS, LIBGC, BEST), *sized_arguments(program, times, mutators))
        return Row(name, commands, [(name, OURS, LIBGC, SIZED_GOAL)])
    return {program: [row(program, times, mutators) for mutators in (1, 2) for times in (2, 3, 4)] for program in LIVE}


def other_rows(programs, huge):
    def marking(name, *arguments):
        return Marking(name, programs.commands("marking", (OURS, LIBGC), f"huge={int(huge)}", *arguments))

    def markers(name, *arguments):
        alone = programs.commands("marking", (OURS,), "elapsed=1", *arguments)
        together = programs.commands("marking", (OURS,), "elapsed=1", "markers=2", *arguments)
        return Markers(name, alone | {TWO_MARKERS: together[OURS]}, weighed=())

    def pauses(program):
        asked = {"pause-median": (f"pause-median-{program}", MEDIAN_PAUSE_GOAL), "pause-p99": (f"pause-p99-{program}", P99_PAUSE_GOAL)}
        return Figures(f"minor collections of {program}, ms", programs.commands(program, (OURS,), "pauses=1", *sized_arguments(program, 3, 1)), asked)

    one, two = (programs.commands("graph", (OURS, LIBGC), f"threads={mutators}") for mutators in (1, 2))
    stores = {f"{kind}-more": (f"store-{kind}", BARRIER_GOAL) for kind in ("old-into-old", "young-into-young")}
    return {"marking": [marking("full-10M-order"), marking("full-10M-random", "random=1")],
            "markers": [markers("two-markers-order"), markers("two-markers-random", "random=1")],
            "pauses": [pauses(program) for program in LIVE],
            "scaling": [Scaling("shared graph", one | {f"{side}, two": command for side, command in two.items()}, weighed=())],
            "barrier": [Figures("stores, ns", programs.commands("barrier", (OURS,)), stores)]}


WORKLOADS = ("gcbench", "binary-trees", "mixed", "graph", "cache", "splay", "mt-gcbench", "quads", "marking", "markers", "pauses", "scaling", "barrier")


def workload_names(text):
    names = text.split(",")
    for name in names:
        if name not in WORKLOADS:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(WORKLOADS)}")
    return names


def measure():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_options(parser, 11, "one round: a look, not a measurement")
    parser.add_argument("--workload", type=workload_names, default=list(WORKLOADS), metavar="NAMES",
                        help="measure only these, with commas between: " + ", ".join(WORKLOADS))
    parser.add_argument("--huge", action="store_true", help="ask for huge pages, on both sides, before full collections are measured")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds

    programs = Programs(harness.build_directory())
    print(f"{harness.machine()}; {time.strftime('%Y-%m-%d')}; {rounds} rounds")
    for reason in programs.missing:
        print(f"  skipped: {reason}")
    every = tree_rows(programs) | program_rows(programs) | sized_rows(programs) | other_rows(programs, options.huge)
    rows = [row for name in options.workload for row in every[name]]
    progress = harness.Progress(rounds * sum(len(row.commands) for row in rows))
    for row in rows:
        row.measure(rounds, progress)

    harness.print_table("CPU seconds and peak MiB, medians; ours to it: medians of the rounds' ratios (range)",
                        ["", "CPU s", "range", "MiB", "ours to it: CPU", "memory"], [line for row in rows for line in row.table()])
    lines = [line for row in rows for line in row.lines()]
    print("", *lines, sep="\n")
    if options.json:
        harness.write_json(options.json, {
            "machine": harness.machine(), "date": time.strftime("%Y-%m-%d"), "rounds": rounds, "missing": programs.missing, "ratios": lines,
            "rows": {row.name: {side: [result and {"cpu": result.cpu, **result.figures, "peak": result.peak} for result in results]
                                for side, results in row.results.items()} for row in rows}})


if __name__ == "__main__":
    harness.main(measure)
