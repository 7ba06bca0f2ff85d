"""The workloads of cycles.c in Python: cycles WORKLOAD COUNT REPETITIONS"""

import gc
import random
import sys
import time
from itertools import repeat


class Node:
    __slots__ = ("a", "b")


def timed(row, objects, work, *arguments):
    start = time.thread_time_ns()
    result = work(*arguments)
    print(row, (time.thread_time_ns() - start) / objects)
    return result


def collect(row, objects, unreachable):
    found = timed(row, objects, gc.collect)
    if found != unreachable:
        sys.exit(f"cycles: {found} unreachable objects, not {unreachable}")


def make_two_cycles(count):
    for _ in repeat(None, count):
        x = Node()
        y = Node()
        x.a = y
        y.a = x


def make_ring(count):
    first = last = Node()
    for _ in repeat(None, count - 1):
        node = Node()
        node.a = last
        last.b = node
        last = node
    first.a = last
    last.b = first


def make_acyclic_pairs(count):
    for _ in repeat(None, count):
        x = Node()
        y = Node()
        x.a = y


def make_and_collect_two_cycles(count):
    make_two_cycles(count)
    gc.collect()


def two_cycles(count):
    timed("2-cycles-create", 2 * count, make_two_cycles, count)
    collect("2-cycles-collect", 2 * count, 2 * count)


def ring(count):
    timed("ring-create", count, make_ring, count)
    collect("ring-collect", count, count)


def acyclic(count):
    timed("acyclic", 2 * count, make_acyclic_pairs, count)


def automatic(count):
    gc.enable()
    timed("automatic", 2 * count, make_and_collect_two_cycles, count)


def full(count, collections):
    objects = [Node() for _ in repeat(None, count)]
    for i in range(1, count):
        objects[i].a = objects[i // 2]
    for _ in range(collections):
        collect("full", count, 0)
    shuffled = objects[:]
    random.Random(1).shuffle(shuffled)
    for i in range(count):
        objects[i].b = shuffled[i]
    del shuffled
    for _ in range(collections):
        collect("full-random", count, 0)


WORKLOADS = {"2-cycles": two_cycles, "ring": ring, "acyclic": acyclic, "automatic": automatic}


def main():
    workload, count, repetitions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    gc.collect()
    gc.disable()
    if workload == "full":
        full(count, repetitions)
    else:
        for _ in range(repetitions):
            WORKLOADS[workload](count)


if __name__ == "__main__":
    main()
