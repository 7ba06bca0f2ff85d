"""Runs the conformance program case by case, under the runtime's own collector and on heapwright, and compares the lines it prints.

    conformance.py [--mode MODE] [--together] [--stable COUNT] [--jobs N] [NAME...]

MODE is `normal`, `stress` (heapwright collects at every Nth allocation, see STRESS), or `conservative` (stacks are scanned word by word by
both). With --stable the stock collector alone runs, that often, and each line must be the same each time. NAME is a case, or a class of them. Each
case is a process of its own; with --together those of a class share one, and only what differs there is run by itself. HEAPWRIGHT_TOOL names the tool, HEAPWRIGHT_DOTNET_BUILD the folder to build in. Ends with status 0, with 1 if a
result differs, with 77 if there is no SDK.
"""
import argparse
import concurrent.futures
import os
import subprocess
import sys

from build import NoSdk, build

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.environ.get("HEAPWRIGHT_TOOL", os.path.join(HERE, "..", "..", "build", "heapwright"))
BUILD = os.environ.get("HEAPWRIGHT_DOTNET_BUILD", os.path.join(HERE, "..", "..", "build", "test", "dotnet", "conformance"))

STRESS = os.environ.get("HEAPWRIGHT_STRESS", "50")
SECONDS = 300

# By mode: what both have in their environments, and what heapwright has.
MODES = {"normal": ({}, {}), "stress": ({}, {"HEAPWRIGHT_STRESS": STRESS}), "conservative": ({"DOTNET_gcConservative": "1"}, {})}


def environment(**variables):
    """The environment without anything that would change what is tested."""
    result = {name: value for name, value in os.environ.items()
              if not name.startswith(("DOTNET_", "COMPlus_", "HEAPWRIGHT_")) and name != "LD_PRELOAD"}
    result.update({name: os.environ[name] for name in ("DOTNET_ROOT",) if name in os.environ})
    return {**result, **variables}


def start(words, variables):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                          timeout=SECONDS, env=environment(HEAPWRIGHT_CASE_SECONDS=str(SECONDS - 60), **variables))


def run(words, variables):
    """What was printed; and what went wrong, if something did."""
    try:
        done = start(words, variables)
    except subprocess.TimeoutExpired:
        return "nothing for %d seconds" % SECONDS
    lines = done.stdout.splitlines()
    if done.returncode == 0 and len(lines) == 1:
        return lines[0]
    return "status %d: %s" % (done.returncode, " | ".join(lines + done.stderr.splitlines()[:8]))


def cases_of(program):
    """{name: {variable: value}}"""
    listed = subprocess.run(["dotnet", program, "--list"], stdout=subprocess.PIPE, text=True, check=True, env=environment()).stdout
    cases = {}
    for line in listed.splitlines():
        name, *variable = line.split(" ", 1)
        cases[name] = dict([variable[0].split("=", 1)]) if variable else {}
    return cases


def stock(program, mode, *names):
    """What starts cases under the stock collector, and the variables for it."""
    return ["dotnet", program, "--expect", "stock", *names], MODES[mode][0]


def ours(program, mode, *names):
    both, more = MODES[mode]
    return [TOOL, "run", program, "--expect", "heapwright", *names], {**both, **more}


def run_one(side, program, name, variables, mode):
    words, more = side(program, mode, name)
    return run(words, {**variables, **more})


def run_together(side, program, names, mode):
    """The lines of cases that share a process, as far as it came; and what went wrong with it, if something did."""
    try:
        done = start(*side(program, mode, *names))
    except subprocess.TimeoutExpired:
        return set(), "nothing for %d seconds" % SECONDS
    failure = "status %d: %s" % (done.returncode, " | ".join(done.stderr.splitlines()[:8])) if done.returncode else None
    return set(done.stdout.splitlines()), failure


def compare_together(program, names, mode):
    """Those that did not print the same, and lines to print if the process failed."""
    theirs, _ = run_together(stock, program, names, mode)
    lines, failure = run_together(ours, program, names, mode)
    same = [name for name in names if any(line.startswith(name + ": ") for line in theirs & lines)]
    problems = ["%s and all behind it in one process on heapwright: %s" % (names[0], failure)] if failure else []
    return [name for name in names if name not in same], problems


def compare(program, name, variables, mode):
    """A line to print if the results differ. A result of the stock collector is right by definition, but must be one."""
    theirs, result = run_one(stock, program, name, variables, mode), run_one(ours, program, name, variables, mode)
    if not theirs.startswith(name + ": "):
        return "%s: no result under the stock collector: %s" % (name, theirs)
    return None if result == theirs else "%s\n    stock       %s\n    heapwright  %s" % (name, theirs, result)


def repeat(program, name, variables, mode, count):
    results = {run_one(stock, program, name, variables, mode) for _ in range(count)}
    good = len(results) == 1 and next(iter(results)).startswith(name + ": ")
    return None if good else "%s is not stable: %s" % (name, " // ".join(sorted(results)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=list(MODES), default="normal")
    parser.add_argument("--together", action="store_true")
    parser.add_argument("--stable", type=int, metavar="COUNT")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    try:
        program = build(os.path.join(HERE, "conformance"), BUILD)
    except NoSdk as reason:
        print("skipped: %s" % reason)
        return 77
    except subprocess.CalledProcessError as error:
        print(error.output)
        return 1
    cases = {name: variables for name, variables in cases_of(program).items()
             if not options.names or name in options.names or name.split(".")[0] in options.names}

    def check(name):
        if options.stable:
            return repeat(program, name, cases[name], options.mode, options.stable)
        return compare(program, name, cases[name], options.mode)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        problems, alone = [], cases
        if options.together:
            plain = [name for name in cases if not cases[name]]
            groups = [[name for name in plain if name.split(".")[0] == group] for group in sorted({name.split(".")[0] for name in plain})]
            alone = [name for name in cases if cases[name]]
            for names, failures in pool.map(lambda group: compare_together(program, group, options.mode), groups):
                alone += names
                problems += failures
        for problem in problems:
            print(problem, flush=True)
        for problem in pool.map(check, alone):
            if problem is not None:
                print(problem, flush=True)
                problems.append(problem)
    print("%d cases, %d %s (%s)" % (len(cases), len(problems), "not stable" if options.stable else "differ", options.mode))
    return 1 if problems or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
