#!/usr/bin/env python3
"""The counting collector against those of CPython and Nim, and against malloc.

Objects with two references are made into cycles and collected, in C on a heap, in Python (classes with slots) and in
Nim (its collector ORC); counting/cycles.c says what each workload does. Then binary trees are built and freed
explicitly (counting/trees.c), on a heap and on malloc: glibc's, and the best single mimalloc among the system's
(libmimalloc.so.2) and the libraries that PEER_LIBS names (paths with colons between). Python is PYTHON from the
environment, or /usr/bin/python3, or the first python3 on the path; Nim is compiled here. The last lines are
`ratio NAME VALUE GOAL`: ours divided by the peer's, or a figure, and what is asked for.
"""

import argparse
import os
import resource
import shutil
import statistics
import time

import harness
import pool

CPYTHON, NIM = "CPython", "Nim"
CPYTHON_GOAL, NIM_GOAL, NIM_HALF_GOAL = 0.4, 0.8, 3
ROWS = {  # what each workload measures
    "2-cycles": ["2-cycles-create", "2-cycles-collect"],
    "ring": ["ring-create", "ring-collect"],
    "acyclic": ["acyclic"],
    "automatic": ["automatic"],
}
FULL_GOALS = {"full": ("full-5M-cpython", 0.15), "full-random": ("full-5M-random-cpython", 0.25)}
BYTES_GOAL, BLOCK_STEP = 24, 8
TREES_GOAL = 1.0
OTHERS = ("full", "bytes", "trees")
COUNT, FULL_COUNT, DEPTH, REPETITIONS = 1_000_000, 5_000_000, 18, 3
QUICK_SCALE, QUICK_DEPTH = 0.1, 14
TRACKED = "ours, tracked"


class Program:
    """A program that knows the workloads, and what it is called."""

    def __init__(self, command, version):
        self.command, self.version = command, version

    def ask(self, workload, count):
        """Returns {row: median of the repetitions}."""
        result = harness.run([*self.command, workload, str(count), str(REPETITIONS)], environment())
        figures = {}
        for row, figure in map(str.split, result.stdout.splitlines()):
            figures.setdefault(row, []).append(float(figure))
        return {row: statistics.median(repeated) for row, repeated in figures.items()}


def environment(preload=""):
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8",
            "LD_PRELOAD": preload}


def source(name):
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "counting", name)


def built(build, name):
    path = os.path.join(build, "bench", name)
    if not os.path.exists(path):
        raise harness.Failed(f"{path} is not there; `make bench-counting` builds it")
    return path


def find_cpython():
    python = os.environ.get("PYTHON") or ("/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3")
    show = "import platform; print(platform.python_implementation(), platform.python_version())"
    version = harness.run([python, "-c", show], environment()).stdout.strip()
    if not version.startswith("CPython 3."):
        raise harness.Failed(f"{python} is {version}")
    return Program([python, source("cycles.py")], f"{version} ({python})")


def compile_nim(build):
    nim = shutil.which("nim")
    if not nim:
        raise harness.Failed("not installed (package nim)")
    program = os.path.join(build, "bench", "cycles-nim")
    quiet = ["--hints:off", "--verbosity:0"]
    places = [f"--nimcache:{program}.cache", f"--out:{program}"]
    harness.run([nim, "c", "-d:danger", "--mm:orc", *quiet, *places, source("cycles.nim")], environment())
    return Program([program], harness.run([nim, "--version"], environment()).stdout.splitlines()[0] + ", ORC")


def find_programs(build):
    """Returns {name: Program} and the reasons why some are missing."""
    programs, missing = {"ours": Program([built(build, "cycles-heap")], "heapwright")}, []
    for name, find in ((CPYTHON, find_cpython), (NIM, lambda: compile_nim(build))):
        try:
            programs[name] = find()
        except harness.Failed as reason:
            missing.append(f"{name}, and all rows with it: {reason}")
    return programs, missing


def find_trees(build):
    """Returns {name: (command, library to preload)} of the binary trees, and the reasons why some are missing."""
    ours, malloc = built(build, "trees-heap"), built(build, "trees-malloc")
    allocators, missing = pool.find_allocators(build)
    trees = {"ours": ([ours], ""), TRACKED: ([ours, "tracked"], "")}
    trees.update({name: ([malloc], allocator.preload) for name, allocator in allocators.items()
                  if name.startswith(("mimalloc", "glibc"))})
    return trees, [reason for reason in missing if "mimalloc" in reason]


def measure_workload(programs, workload, count, rounds, progress):
    """Returns {row: {name: [figure of each round]}}."""
    answers = harness.take_turns(rounds, list(programs), lambda name: programs[name].ask(workload, count),
                                 progress, workload)
    return {row: {name: [answer[row] for answer in answers[name]] for name in programs} for row in answers["ours"][0]}


def cpu_time(command, preload):
    """Seconds of CPU time that a process takes from its start to its end."""
    def children():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    before = children()
    harness.run(command, environment(preload))
    return children() - before


def measure_trees(trees, depth, rounds, progress):
    """Returns {name: [CPU seconds of each round]}."""
    def one(name):
        (program, *options), preload = trees[name]
        return cpu_time([program, str(depth), *options], preload)
    return harness.take_turns(rounds, list(trees), one, progress, "trees")


def ratio_text(ours, theirs):
    return "{:.3f} ({:.2f}-{:.2f})".format(*harness.paired(ours, theirs))


def show_rows(rows, names):
    peers = names[1:]
    harness.print_table(
        "ns of thread CPU time per object; ratios: ours to the peer, median (range)",
        ["", *names, *(f"to {peer}" for peer in peers)],
        [[row, *(f"{statistics.median(by_name[name]):.1f}" if name in by_name else "-" for name in names),
          *(ratio_text(by_name["ours"], by_name[peer]) if peer in by_name else "-" for peer in peers)]
         for row, by_name in rows.items()])


def show_trees(trees, depth):
    harness.print_table(
        f"binary trees of depth {depth}, CPU seconds of the process; ratio: ours to it, median (range)",
        ["allocator", "CPU s", "ratio"],
        [[name, f"{statistics.median(seconds):.3f}", ratio_text(trees["ours"], seconds)]
         for name, seconds in trees.items()])


def row_lines(rows):
    """The lines of the workloads with peers; `rows` are those of ROWS and of FULL_GOALS."""
    lines, nim_ratios = [], []
    for row, by_name in rows.items():
        ratios = {name: harness.paired(by_name["ours"], by_name[name])[0] for name in by_name}
        if CPYTHON in ratios:
            name, goal = FULL_GOALS.get(row, (f"counting-{row}-cpython", CPYTHON_GOAL))
            lines.append(harness.ratio_line(name, ratios[CPYTHON], goal))
        if NIM in ratios:
            lines.append(harness.ratio_line(f"counting-{row}-nim", ratios[NIM], NIM_GOAL))
            nim_ratios.append(ratios[NIM])
    if len(nim_ratios) == sum(map(len, ROWS.values())):
        above = sum(round(ratio, 3) > 0.5 for ratio in nim_ratios)
        lines.append(harness.ratio_line("rows-above-half-of-nim", above, NIM_HALF_GOAL))
    return lines


def tree_lines(trees, depth):
    lines = []
    for family in ("mimalloc", "glibc"):
        names = [name for name in trees if name.startswith(family)]
        if names:
            best = min(names, key=lambda name: statistics.median(trees[name]))
            ratio = harness.paired(trees["ours"], trees[best])[0]
            lines.append(harness.ratio_line(f"binary-trees-{depth}-{family}", ratio, TREES_GOAL))
    return lines


def measure():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_options(parser, 7, "one round with a tenth of the work: a look, not a measurement")
    parser.add_argument("--workload", action="append", choices=[*ROWS, *OTHERS], metavar="NAME",
                        help="measure only this one (may be given several times): " + ", ".join([*ROWS, *OTHERS]))
    options = parser.parse_args()
    rounds, scale, depth = (1, QUICK_SCALE, QUICK_DEPTH) if options.quick else (options.rounds, 1, DEPTH)
    chosen = options.workload or [*ROWS, *OTHERS]
    count, full_count = round(COUNT * scale), round(FULL_COUNT * scale)

    build = harness.build_directory()
    programs, missing = find_programs(build)
    trees, trees_missing = find_trees(build) if "trees" in chosen else ({}, [])
    print(f"{harness.machine()}; {time.strftime('%Y-%m-%d')}; {rounds} rounds"
          + (", a tenth of the work" if options.quick else ""))
    for program in programs.values():
        print(f"  {program.version}")
    for reason in missing + trees_missing:
        print(f"  skipped: {reason}")

    workloads = {name: (programs, count) for name in ROWS if name in chosen}
    if "full" in chosen:
        workloads["full"] = ({name: program for name, program in programs.items() if name != NIM}, full_count)
    progress = harness.Progress(rounds * (sum(len(those) for those, _ in workloads.values()) + len(trees)))
    rows = {}
    for workload, (those, objects) in workloads.items():
        rows.update(measure_workload(those, workload, objects, rounds, progress))
    seconds = measure_trees(trees, depth, rounds, progress) if trees else {}
    size = programs["ours"].ask("bytes", count) if "bytes" in chosen else {}

    lines = row_lines(rows)
    if rows:
        show_rows(rows, list(programs))
    if size:
        print(f"\nan object of 16 bytes: {size['sizeof']:.0f} with its header, {size['page-bytes']:.2f} of pages")
        in_blocks = round(size["page-bytes"] / BLOCK_STEP) * BLOCK_STEP
        lines.append(harness.ratio_line("bytes-per-object-16", in_blocks, BYTES_GOAL))
    if seconds:
        show_trees(seconds, depth)
        lines += tree_lines(seconds, depth)
    print("", *lines, sep="\n")
    if options.json:
        harness.write_json(options.json, {
            "machine": harness.machine(), "date": time.strftime("%Y-%m-%d"), "rounds": rounds,
            "programs": {name: program.version for name, program in programs.items()}, "missing": missing,
            "ns": rows, "bytes": size, "trees_depth": depth, "trees": seconds, "ratios": lines})


if __name__ == "__main__":
    harness.main(measure)
