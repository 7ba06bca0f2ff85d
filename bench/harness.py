"""What both benchmarks share: runs that take turns, medians of paired ratios, tables, and the lines that others read.

A machine's speed drifts, so no two figures are compared that were not measured next to each other: in every round
each configuration runs once, in an order that rotates, and a ratio is formed within its round. What is reported is the
median.
"""

import glob
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time


class Failed(Exception):
    """A measured program did not do what it should; the text says which and what it printed, `status` how it ended, if it did."""

    def __init__(self, text, status=None):
        super().__init__(text)
        self.status = status


class Run:
    """One finished process: its output, the largest resident size it had, in bytes, and the CPU time and the time that it took, in seconds."""

    def __init__(self, stdout, stderr, peak, cpu, wall):
        self.stdout, self.stderr, self.peak, self.cpu, self.wall = stdout, stderr, peak, cpu, wall


def run(command, env):
    """Runs a command to its end and returns a Run. Raises Failed unless it exits with 0.

    Linux counts the resident size that a process had before exec, so a peak cannot be told from this program's own size
    if it is smaller; peak is None then.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.monotonic()
        try:
            process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        except OSError as error:
            raise Failed(f"cannot start {command[0]}: {error.strerror}") from None
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        stdout, stderr = out.read(), err.read()
    if process.returncode != 0:
        code = process.returncode
        how = f"exit status {code}" if code > 0 else signal.strsignal(-code)
        raise Failed(f"{' '.join(command)}: {how}\n{stderr.strip()[-2000:]}", code)
    peak = usage.ru_maxrss * 1024
    return Run(stdout, stderr, peak if peak > own_peak() else None, usage.ru_utime + usage.ru_stime, wall)


def tree_of(pid):
    """A process and all that it has made, as far as they are there."""
    found = [pid]
    for parent in found:
        for path in glob.glob("/proc/%d/task/*/children" % parent):
            try:
                with open(path) as children:
                    found += map(int, children.read().split())
            except OSError:
                pass
    return found


def proportional_size(pid):
    """Bytes: pages that processes share are counted in parts."""
    try:
        with open("/proc/%d/smaps_rollup" % pid) as rollup:
            return next((int(line.split()[1]) for line in rollup if line.startswith("Pss:")), 0) * 1024
    except OSError:
        return 0


def peak_of_tree(command, env, interval=0.02):
    """Runs a command to its end. Returns the most memory that it and all its processes had together, by proportional size, looked at now and then."""
    peak = 0
    with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(proportional_size, tree_of(process.pid))))
            time.sleep(interval)
    if process.returncode != 0:
        raise Failed(f"{' '.join(command)}: ended with status {process.returncode}")
    return peak


def own_peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) * 1024


class Progress:
    """One line on standard error that says how far the work is; nothing if that is no terminal."""

    def __init__(self, total):
        self.total, self.done, self.shown = total, 0, sys.stderr.isatty()

    def step(self, what):
        self.done += 1
        if self.shown:
            end = "\r\033[K" if self.done == self.total else ""
            print(f"\r\033[K[{self.done}/{self.total}] {what}{end}", end="", file=sys.stderr, flush=True)


def take_turns(rounds, names, measure, progress, title):
    """Calls measure(name) once a round for each name, in rotating order. Returns {name: [result of each round]}."""
    results = {name: [] for name in names}
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            results[name].append(measure(name))
            progress.step(f"{title}: {name}")
    return results


def paired(ours, theirs):
    """The ratios ours/theirs of each round, as (median, lowest, highest)."""
    ratios = [a / b for a, b in zip(ours, theirs)]
    return statistics.median(ratios), min(ratios), max(ratios)


def ratio_line(name, value, goal):
    text = str(value) if isinstance(value, int) else f"{value:.3f}"
    return f"ratio {name} {text} {goal}"


def print_table(title, header, rows):
    """Prints rows of texts under a header, the first column to the left and the others to the right."""
    widths = [max(len(row[i]) for row in [header] + rows) for i in range(len(header))]
    print(f"\n{title}")
    for row in [header] + rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())


def build_directory():
    """Where the built programs are: HEAPWRIGHT_BUILD, or `build` beside this folder."""
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "build")
    return os.path.abspath(os.environ.get("HEAPWRIGHT_BUILD") or default)


def machine():
    """What the figures were measured on, in one line."""
    model = platform.machine()
    try:
        with open("/proc/cpuinfo") as info:
            model += next((", " + line.split(":")[1].strip() for line in info if line.startswith("model name")), "")
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} processors, Linux {platform.release()}"


def add_options(parser, rounds, quick):
    """The options both benchmarks have. ROUNDS in the environment is the default of --rounds."""
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS") or rounds), metavar="N",
                        help=f"how often everything is measured (default {rounds}, or ROUNDS in the environment)")
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--json", metavar="FILE", help="also write every figure to this file")


def write_json(path, figures):
    with open(path, "w") as file:
        json.dump(figures, file, indent=1)
        file.write("\n")


def main(measure):
    """Runs a benchmark's main function; what goes wrong becomes one message and exit status 1."""
    try:
        measure()
    except Failed as problem:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
