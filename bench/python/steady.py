"""steady: requests to a program with five million live objects. Each reads a thousand of them at random and makes cycles that get old before they die.
The longest request, the one in a hundred, and all of them."""

import collections
import random
import time

from timing import children_cpu, report, scaled


class Node:
    __slots__ = ("other", "value")


def cycle(length):
    nodes = [Node() for _ in range(length)]
    for i, node in enumerate(nodes):
        node.other, node.value = nodes[i - 1], i
    return nodes[0]


def build(count):
    kept = []
    for i in range(count):
        node = Node()
        node.other, node.value = kept, i
        kept.append(node)
    return kept


LIVE, REQUESTS, TOUCHED, CYCLES, RECENT = scaled(5_000_000), scaled(5_000), 1000, 200, 20_000
live, recent, chance = build(LIVE), collections.deque(maxlen=RECENT), random.Random(1)
picks = [chance.randrange(LIVE) for _ in range(100_003)]
times, at = [], 0
children = children_cpu()
start, cpu = time.perf_counter(), time.process_time()
for _ in range(REQUESTS):
    before = time.perf_counter()
    total = 0
    for i in range(TOUCHED):
        at = (at + 1) % len(picks)
        total += live[picks[at]].value
    for _ in range(CYCLES):
        recent.append(cycle(3))
    times.append(time.perf_counter() - before)
wall, cpu = time.perf_counter() - start, time.process_time() - cpu + children_cpu() - children
times.sort()
report("requests", wall, cpu)
report("longest-request", times[-1], times[-1])
report("p99-request", times[len(times) * 99 // 100], times[len(times) * 99 // 100])
