#!/usr/bin/env python3
"""Python programs under `heapwright run` against the same programs on stock Python.

The workloads are the scripts in python/. Compared are instructions (callgrind, less an empty start of the same kind),
peak resident memory, and the times of what is the collector's work (full collections of a live heap, a million cycles, a large heap
built, locality); wall and CPU time of the others are shown for information. The interpreter is PYTHON from the environment, or /usr/bin/python3, or the first python3 on the path.
Both sides have environments of equal size and the hash seed 0. The last lines are `ratio NAME VALUE GOAL`: ours
divided by stock, and what is asked for. HEAPWRIGHT_GC from the environment goes to our side.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

import harness

SCRIPTS = {
    "trees": "trees.py", "churn": "churn.py", "json": "json_records.py", "ast": "ast_library.py",
    "small-mix": "small_mix.py", "locality": "locality.py", "full-collection": "full_collection.py",
    "cycles": "self_cycles.py", "build": "build.py", "steady": "steady.py",
}
INSTRUCTION_GOALS = {"trees": 1.0, "churn": 0.96, "json": 1.0, "ast": 1.0, "small-mix": None}
PEAK_GOAL = 1.02
TIMED = ("trees", "churn", "json", "ast")
# Of these the parts are compared: which of their figures (0: wall, 1: CPU), and what is asked for. None: shown only.
COLLECTOR_GOALS = {
    "locality": {"realloc": (1, 1.0), "collect": (1, 1.0)},
    "full-collection": {"slots": (1, 0.85), "dicts": (1, 0.85), "shuffled": (1, 0.7)},
    "cycles": {"self-cycles": (1, 0.7)},
    "build": {"build": (0, 0.4), "build-cpu": (1, 0.8), "longest-pause": (0, 0.04)},
    "steady": {"requests": (0, 1.0), "longest-request": (0, 0.05), "p99-request": (0, None)},
}
# The same with no processor to spare: the time of all requests with the collector `auto`, to that with it `inplace`.
SCARCE_GOAL = 1 / 0.95
SPIN = "while True: pass"
# One request in a hundred may take so much longer than on stock.
P99_MORE_MS_GOAL = 1.0
# The most memory of the program and its copies together.
MEMORY_GOALS = {"build": 1.25, "steady": 1.4}
QUICK_SCALE = 0.1
MEBI = 1 << 20

SHOW = """
import json, os, sys
sys._debugmallocstats()
print(json.dumps({"version": sys.version.split()[0], "env": dict(os.environ)}))
"""


class Side:
    """Stock Python or ours: how to start a script on it, directly and under valgrind."""

    def __init__(self, command, env, python, inner_env):
        self.command, self.env, self.python, self.inner_env = command, env, python, inner_env

    def run(self, script):
        return harness.run(self.command + [script], self.env)

    def instructions(self, script, scale):
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", self.python, script, str(scale)]
        collected = re.search(r"Collected : (\d+)", harness.run(command, self.inner_env).stderr)
        if not collected:
            raise harness.Failed(f"callgrind counted nothing in {script}")
        return int(collected.group(1))


def script_path(name):
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "python", name)


def size_of(env):
    return sum(len(name) + len(value) + 2 for name, value in env.items())


def show(command, env, ours):
    """What SHOW prints in an interpreter, having seen that it is on heapwright or, if not `ours`, that it is not."""
    result = harness.run([*command, "-c", SHOW], env)
    if ("heapwright" in result.stderr) != ours:
        raise harness.Failed(f"{' '.join(command)}: this {'does not run' if ours else 'runs'} on heapwright")
    return result.stdout


def find_sides(build):
    """Returns {"stock": Side, "ours": Side} and the version of Python."""
    tool = os.path.join(build, "heapwright")
    if not os.path.exists(tool):
        raise harness.Failed(f"{tool} is not there; `make` builds it")
    python = os.environ.get("PYTHON") or ("/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3")
    python = shutil.which(python) or python
    env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0",
           "PYTHONDONTWRITEBYTECODE": "1", "BENCH_PADDING": ""}
    ours = dict(env, HEAPWRIGHT_GC=os.environ.get("HEAPWRIGHT_GC", "auto"))
    shown = json.loads(show([tool, "run", python], ours, ours=True))
    inner = shown["env"]
    show([python], env, ours=False)
    if shutil.which("valgrind"):
        show(["valgrind", "--quiet", "--tool=none", python], inner, ours=True)
    padded = dict(env, BENCH_PADDING="x" * (size_of(inner) - size_of(env)))
    return {"stock": Side([python], padded, python, padded),
            "ours": Side([tool, "run", python], ours, python, inner)}, f"Python {shown['version']} ({python})"


def count_instructions(sides, workloads, scale):
    """Returns {workload: {side: instructions without those of an empty start}}.

    Counts do not mind a busy machine, so as many run at once as there are processors.
    """
    scripts = {"empty": "empty.py", **{name: SCRIPTS[name] for name in workloads}}
    progress = harness.Progress(len(scripts) * len(sides))
    totals = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as executor:
        jobs = {executor.submit(side.instructions, script_path(script), scale): (name, side_name)
                for name, script in scripts.items() for side_name, side in sides.items()}
        for job in concurrent.futures.as_completed(jobs):
            totals[jobs[job]] = job.result()
            progress.step("instructions: " + " ".join(jobs[job]))
    return {name: {side: totals[name, side] - totals["empty", side] for side in sides} for name in workloads}


def measure_runs(sides, workloads, rounds):
    """Returns {workload: {side: [{"peak": bytes, "times": {name: [wall, cpu]}} of each round]}}."""
    progress = harness.Progress(rounds * len(workloads) * len(sides))

    def one(workload, side):
        result = sides[side].run(script_path(SCRIPTS[workload]))
        if result.peak is None:
            raise harness.Failed(f"the peak of {workload} cannot be told from this program's own size")
        times = {name: [float(wall), float(cpu)] for name, wall, cpu in map(str.split, result.stdout.splitlines())}
        return {"peak": result.peak, "times": times}

    return {name: harness.take_turns(rounds, list(sides), lambda side, name=name: one(name, side), progress, name)
            for name in workloads}


@contextlib.contextmanager
def spinning():
    """As many programs that compute as there are processors."""
    with contextlib.ExitStack() as stack:
        for _ in range(os.cpu_count()):
            program = stack.enter_context(subprocess.Popen([sys.executable, "-c", SPIN]))
            stack.callback(program.kill)
        yield


def measure_scarce(side, rounds):
    """Returns {condition: {mode: [seconds of all requests, each round]}}."""
    conditions = {"busy-processors": (spinning, []), "one-processor": (contextlib.nullcontext, ["taskset", "--cpu-list", "0"])}
    modes = ("inplace", "auto")
    progress = harness.Progress(rounds * len(conditions) * len(modes))

    def one(condition, mode):
        surroundings, prefix = conditions[condition]
        with surroundings():
            run = harness.run([*prefix, *side.command, script_path(SCRIPTS["steady"])], dict(side.env, HEAPWRIGHT_GC=mode))
        return next(float(line.split()[1]) for line in run.stdout.splitlines() if line.startswith("requests "))

    return {name: harness.take_turns(rounds, list(modes), lambda mode, name=name: one(name, mode), progress, name)
            for name in conditions}


def measure_memory(sides, workloads, rounds):
    """Returns {workload: {side: [bytes of each round]}}, of runs of their own, since looking disturbs."""
    progress = harness.Progress(rounds * len(workloads) * len(sides))

    def one(workload, side):
        return harness.peak_of_tree(sides[side].command + [script_path(SCRIPTS[workload])], sides[side].env)

    return {name: harness.take_turns(rounds, list(sides), lambda side, name=name: one(name, side), progress, name + ", memory")
            for name in workloads}


def compared(runs, figure):
    """A figure of the runs: the median of stock, of ours, and (median, lowest, highest) of the paired ratios."""
    stock, ours = ([figure(run) for run in runs[side]] for side in ("stock", "ours"))
    return statistics.median(stock), statistics.median(ours), harness.paired(ours, stock)


def show_runs(runs):
    rows = []

    def row(name, unit, form, figure):
        stock, ours, (ratio, low, high) = compared(by_side, figure)
        rows.append([name, unit, form.format(stock), form.format(ours), f"{ratio:.3f} ({low:.2f}-{high:.2f})"])

    for workload, by_side in runs.items():
        for part in by_side["ours"][0]["times"]:
            name = workload if part == workload else f"{workload}: {part}"
            for i, unit in enumerate(("wall s", "CPU s")):
                row(name, unit, "{:.4f}", lambda run: run["times"][part][i])
        row(workload, "peak MiB", "{:.1f}", lambda run: run["peak"] / MEBI)
    harness.print_table("medians; ratio: ours to stock, median (range)",
                        ["workload", "", "stock", "ours", "ratio"], rows)


def show_instructions(counts, scale):
    rows = []
    for name, count in counts.items():
        stock, ours = count["stock"], count["ours"]
        rows.append([name, f"{stock / 1e6:.1f}", f"{ours / 1e6:.1f}", f"{ours / stock:.3f}"])
    reduced = "" if scale == 1 else f", with {scale:g} of the work"
    harness.print_table(f"million instructions, less an empty start{reduced}",
                        ["workload", "stock", "ours", "ratio"], rows)


def show_memory(memory):
    rows = []
    for name, by_side in memory.items():
        ratio, low, high = harness.paired(by_side["ours"], by_side["stock"])
        rows.append([name, *(f"{statistics.median(by_side[side]) / MEBI:.1f}" for side in ("stock", "ours")),
                     f"{ratio:.3f} ({low:.2f}-{high:.2f})"])
    harness.print_table("most memory of all processes, proportional MiB", ["workload", "stock", "ours", "ratio"], rows)


def show_scarce(scarce):
    rows = []
    for name, by_mode in scarce.items():
        ratio, low, high = harness.paired(by_mode["auto"], by_mode["inplace"])
        rows.append([f"steady, {name}", *(f"{statistics.median(by_mode[mode]):.3f}" for mode in ("inplace", "auto")),
                     f"{ratio:.3f} ({low:.2f}-{high:.2f})"])
    harness.print_table("wall s of all requests on heapwright, no processor to spare", ["workload", "inplace", "auto", "ratio"], rows)


def ratio_lines(counts, runs, memory, scarce):
    lines = [harness.ratio_line(f"python-instructions-{name}", count["ours"] / count["stock"], INSTRUCTION_GOALS[name])
             for name, count in counts.items() if INSTRUCTION_GOALS[name] is not None]
    lines += [harness.ratio_line(f"python-peak-{name}", compared(runs[name], lambda run: run["peak"])[2][0], PEAK_GOAL)
              for name in runs if name in TIMED]
    for name, parts in COLLECTOR_GOALS.items():
        lines += [harness.ratio_line(f"python-{name}-{part}", compared(runs[name], lambda run: run["times"][part][i])[2][0], goal)
                  for part, (i, goal) in parts.items() if name in runs and goal is not None]
    if "steady" in runs:
        stock, ours, _ = compared(runs["steady"], lambda run: run["times"]["p99-request"][0])
        lines.append(harness.ratio_line("python-steady-p99-more-ms", (ours - stock) * 1000, P99_MORE_MS_GOAL))
    lines += [harness.ratio_line(f"python-memory-{name}", harness.paired(by_side["ours"], by_side["stock"])[0], MEMORY_GOALS[name])
              for name, by_side in memory.items()]
    lines += [harness.ratio_line(f"python-auto-{name}", harness.paired(by_mode["auto"], by_mode["inplace"])[0], f"{SCARCE_GOAL:.3f}")
              for name, by_mode in scarce.items()]
    return lines


def measure():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_options(parser, 7, "one round, and a tenth of the work under callgrind: a look, not a measurement")
    parser.add_argument("--workload", action="append", choices=list(SCRIPTS), metavar="NAME",
                        help="measure only this one (may be given several times): " + ", ".join(SCRIPTS))
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    scale = QUICK_SCALE if options.quick else 1
    chosen = options.workload or list(SCRIPTS)

    sides, version = find_sides(harness.build_directory())
    print(f"{harness.machine()}; {time.strftime('%Y-%m-%d')}; {rounds} rounds; {version}")
    runs = measure_runs(sides, [name for name in chosen if name in (*TIMED, *COLLECTOR_GOALS)], rounds)
    if runs:
        show_runs(runs)
    memory = measure_memory(sides, [name for name in chosen if name in MEMORY_GOALS], min(rounds, 3))
    if memory:
        show_memory(memory)
    scarce = measure_scarce(sides["ours"], rounds) if "steady" in chosen else {}
    if scarce:
        show_scarce(scarce)
    counts, counted = {}, [name for name in chosen if name in INSTRUCTION_GOALS]
    if counted and shutil.which("valgrind"):
        counts = count_instructions(sides, counted, scale)
        show_instructions(counts, scale)
    elif counted:
        print("\nskipped: instructions, for want of valgrind (package valgrind)")
    lines = ratio_lines(counts, runs, memory, scarce)
    print("", *lines, sep="\n")
    if options.json:
        harness.write_json(options.json, {
            "machine": harness.machine(), "date": time.strftime("%Y-%m-%d"), "rounds": rounds, "python": version,
            "runs": runs, "memory": memory, "scarce": scarce, "instructions": counts, "instructions_scale": scale, "ratios": lines})


if __name__ == "__main__":
    harness.main(measure)
