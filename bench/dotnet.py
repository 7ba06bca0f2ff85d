#!/usr/bin/env python3
"""C# programs on heapwright's collector against the same on the runtime's own.

The loads are in dotnet/*.cs, whose heads say what they do. Each runs as a process of its own with the collector of the build, and with the runtime's own (of workstations), collecting beside the program
and not; all take turns, with the same settings of the compiler. Compared are time, CPU time (user and system) and the most resident memory of whole processes; the peer is the better of the runtime's two in each.
The longest pause of the mixed load is told by the runtime, whose events say when the threads stop and go on again, whatever the collector; the peer is the one that does not collect beside the program. The last lines are
`ratio NAME VALUE GOAL`: ours divided by the peer's, and what is asked for. Without an SDK for .NET 10 there are no figures.
"""

import argparse
import os
import shutil
import statistics
import time

import harness

OURS, BESIDE, STOPPED = "ours", "stock, concurrent", "stock, not concurrent"
STOCK = (BESIDE, STOPPED)
TIME_GOAL, TREES_GOAL, MEMORY_GOAL, PAUSE_GOAL = 1.0, 0.8, 1.3, 1.0
RUNTIME = 10
LOADS = {  # the words for the program, those for a look, and what is asked for in time
    "binary-trees-18": (["binary-trees", "18"], ["binary-trees", "12"], TREES_GOAL),
    "binary-trees-20": (["binary-trees", "20"], ["binary-trees", "14"], TREES_GOAL),
    "mixed": (["mixed", "16"], ["mixed", "1"], TIME_GOAL),
    "cache": (["cache", "20"], ["cache", "2"], TIME_GOAL),
    "json": (["json", "120"], ["json", "10"], TIME_GOAL),
}
PAUSES = "mixed-pauses"
MEBI = 1 << 20


class NoSdk(Exception):
    """There is no .NET SDK that could build the programs; the text says what is missing."""


def environment(**settings):
    """What every process gets: nothing of what the user has set for .NET, and the compiler's settings said."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8", "DOTNET_NOLOGO": "1",
            "DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_TieredCompilation": "1", "DOTNET_TieredPGO": "1", **settings}


def compile_programs(build):
    """Builds the loads into the build directory, from what the SDK brings, and returns the program and the SDK's version."""
    dotnet = shutil.which("dotnet")
    if not dotnet:
        raise NoSdk("no command `dotnet`")
    sdks = harness.run([dotnet, "--list-sdks"], environment()).stdout.splitlines()
    sdks = [line.split()[0] for line in sdks if line.startswith(f"{RUNTIME}.")]
    if not sdks:
        raise NoSdk(f"{dotnet} has no SDK {RUNTIME}")
    project = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dotnet", "Bench.csproj")
    output = os.path.join(build, "bench", "dotnet")
    # Nothing that outlives the build: servers of the SDK would be measured with the rest.
    harness.run([dotnet, "build", project, "--configuration", "Release", "--artifacts-path", output, "-nodeReuse:false",
                 "-property:UseSharedCompilation=false", "-verbosity:quiet"], environment(DOTNET_CLI_HOME=output))
    return [dotnet, os.path.join(output, "bin", "Bench", "release", "Bench.dll")], sdks[-1]


class Result:
    """What one process took: `figures` are those that it printed."""

    def __init__(self, run):
        self.figures = {name: float(figure) for name, figure in map(str.split, run.stdout.splitlines())}
        self.wall, self.cpu, self.peak = run.wall, run.cpu, self.figures["peak"]


METRICS = {"wall": lambda result: result.wall, "cpu": lambda result: result.cpu, "memory": lambda result: result.peak}


def collections(result):
    return result.figures["collections-0"]


def longest_pause(result):
    return result.figures["pause-longest-listened"]


class Row:
    """One load on all sides, taking turns: `settings` are the variables that choose a side."""

    def __init__(self, name, command, settings):
        self.name, self.command, self.settings = name, command, settings
        self.results = {}

    def measure(self, rounds, progress):
        self.results = harness.take_turns(rounds, list(self.settings), self.run, progress, self.name)

    def run(self, side):
        result = Result(harness.run(self.command, environment(**self.settings[side])))
        if result.figures["collector-mapped"] != (side == OURS):
            raise harness.Failed(f"{self.name}, {side}: the runtime has loaded another collector than it was to")
        return result

    def of(self, side, metric):
        return list(map(metric, self.results[side]))

    def better(self, metric):
        return min(STOCK, key=lambda side: statistics.median(self.of(side, metric)))

    def ratio(self, metric, peer):
        """(median, lowest, highest) of the rounds; infinite if ours never collects what the peer collects."""
        if not any(self.of(OURS, collections)) and any(self.of(peer, collections)):
            return (float("inf"),) * 3
        return harness.paired(self.of(OURS, metric), self.of(peer, metric))

    def table(self):
        rows = []
        for side, results in self.results.items():
            seconds = self.of(side, METRICS["wall"])
            figures = {name: statistics.median(result.figures[name] for result in results) for name in results[0].figures}
            rows.append([f"{self.name}: {side}", f"{statistics.median(seconds):.2f}", f"{min(seconds):.2f}-{max(seconds):.2f}",
                         f"{statistics.median(self.of(side, METRICS['cpu'])):.2f}", f"{figures['peak'] / MEBI:.0f}",
                         "/".join(f"{figures[f'collections-{generation}']:.0f}" for generation in range(3)),
                         f"{1000 * figures['pause-total']:.0f}", f"{1000 * figures['pause-longest']:.1f}", f"{figures['pauses-missed']:.0f}",
                         *("" if side == OURS else "{:.3f} ({:.2f}-{:.2f})".format(*self.ratio(metric, side)) for metric in METRICS.values())])
        return rows


class Load(Row):
    def __init__(self, name, command, settings, goal):
        super().__init__(name, command, settings)
        self.goals = {"wall": goal, "cpu": goal, "memory": MEMORY_GOAL}

    def lines(self):
        return [harness.ratio_line(f"dotnet-{self.name}-{what}", self.ratio(metric, self.better(metric))[0], self.goals[what])
                for what, metric in METRICS.items()]


class PauseRow(Row):
    def lines(self):
        return [harness.ratio_line("dotnet-mixed-longest-pause", self.ratio(longest_pause, STOPPED)[0], PAUSE_GOAL)]

    def table(self):
        rows = super().table()
        for row, side in zip(rows, self.results):
            row[0] += f": longest {1000 * statistics.median(self.of(side, longest_pause)):.1f} ms by events"
        return rows


def load_names(text):
    names = text.split(",")
    for name in names:
        if name not in (*LOADS, PAUSES):
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join((*LOADS, PAUSES))}")
    return names


def measure():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_options(parser, 7, "one round of little work: a look, not a measurement")
    parser.add_argument("--load", type=load_names, default=[*LOADS, PAUSES], metavar="NAMES",
                        help="measure only these, with commas between: " + ", ".join((*LOADS, PAUSES)))
    parser.add_argument("--ours", metavar="FILE", help="the collector to be measured, instead of the build's libheapwright-dotnet.so")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds

    build = harness.build_directory()
    ours = os.path.realpath(options.ours or os.path.join(build, "lib", "heapwright", "libheapwright-dotnet.so"))
    try:
        program, version = compile_programs(build)
    except NoSdk as reason:
        print(f"skipped: {reason}; the C# programs need the .NET SDK {RUNTIME}, so nothing was measured")
        return
    if not os.path.exists(ours):
        raise harness.Failed(f"{ours} is not there; `make` builds it")
    print(f"{harness.machine()}; {time.strftime('%Y-%m-%d')}; {rounds} rounds\n  .NET SDK {version}; ours is {os.path.basename(ours)}")

    settings = {OURS: {"DOTNET_GCPath": ours}, BESIDE: {"DOTNET_gcConcurrent": "1"}, STOPPED: {"DOTNET_gcConcurrent": "0"}}
    rows = []
    for name in options.load:
        full, little, goal = LOADS["mixed" if name == PAUSES else name]
        command = program + (little if options.quick else full)
        rows.append(PauseRow(name, command + ["listen"], settings) if name == PAUSES else Load(name, command, settings, goal))
    progress = harness.Progress(rounds * len(settings) * len(rows))
    for row in rows:
        row.measure(rounds, progress)

    harness.print_table("Whole processes: seconds and their range, CPU seconds, peak MiB, collections by generation, total and longest pause in ms by the collector's account (missed: of so many collections there was none); "
                        "medians. Ours to it: medians of the rounds' ratios (range)",
                        ["", "s", "range", "CPU s", "MiB", "collections", "pauses", "longest", "missed", "ours to it: time", "CPU", "memory"],
                        [line for row in rows for line in row.table()])
    lines = [line for row in rows for line in row.lines()]
    print("", *lines, sep="\n")
    if options.json:
        harness.write_json(options.json, {
            "machine": harness.machine(), "date": time.strftime("%Y-%m-%d"), "rounds": rounds, "sdk": version, "ours": os.path.basename(ours), "ratios": lines,
            "rows": {row.name: {side: [{**result.figures, "wall": result.wall, "cpu": result.cpu} for result in results]
                                for side, results in row.results.items()} for row in rows}})


if __name__ == "__main__":
    harness.main(measure)
