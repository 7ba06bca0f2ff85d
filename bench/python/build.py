"""build: a heap of five million objects, built with the default thresholds; the CPU time of all processes, and the longest pause in that."""

import gc
import time

from timing import children_cpu, report, scaled


class Node:
    __slots__ = ("list", "value")


def build():
    kept = []
    for _ in range(scaled(5_000_000)):
        node = Node()
        node.list = kept
        kept.append(node)
    return kept


pauses, started = [0.0], 0.0


def note(phase, info):
    global started
    if phase == "start":
        started = time.perf_counter()
    else:
        pauses.append(time.perf_counter() - started)


gc.callbacks.append(note)
wall, cpu = time.perf_counter(), time.process_time()
kept = build()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu + children_cpu()
report("build", wall, cpu)
report("build-cpu", wall, cpu)
report("longest-pause", max(pauses), max(pauses))
