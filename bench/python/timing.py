"""Times a piece of work inside a workload and prints it: name, wall seconds, CPU seconds."""

import sys
import time

SCALE = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0


def scaled(count):
    """A workload's count, made smaller by the factor on the command line."""
    return max(1, round(count * SCALE))


def report(name, wall, cpu):
    print(name, wall, cpu)


def timed(name, work, *arguments):
    wall, cpu = time.perf_counter(), time.process_time()
    result = work(*arguments)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    report(name, wall, cpu)
    return result
