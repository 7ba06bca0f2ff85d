"""Times a piece of work inside a workload and prints it: name, wall seconds, CPU seconds."""

import os
import resource
import sys
import time

SCALE = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0


def scaled(count):
    """A workload's count, made smaller by the factor on the command line."""
    return max(1, round(count * SCALE))


def report(name, wall, cpu):
    print(name, wall, cpu)


def children_cpu():
    """CPU seconds of processes that this one has made without waiting for them, until they have ended."""
    total = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = total.ru_utime + total.ru_stime
    with open("/proc/self/task/%d/children" % os.getpid()) as children:
        pids = children.read().split()
    for pid in pids:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with open("/proc/%s/stat" % pid) as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            if fields[0] == "Z":
                break
            time.sleep(.01)
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def timed(name, work, *arguments):
    wall, cpu = time.perf_counter(), time.process_time()
    result = work(*arguments)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    report(name, wall, cpu)
    return result
