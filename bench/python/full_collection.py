"""full_collection: a collection of a million live objects, of three shapes; the best of five each."""

import gc
import random
import time

from timing import report, scaled

COUNT = scaled(1_000_000)


class Node:
    __slots__ = ("next", "value")


def chain(order):
    """Slots objects, each leading to the next in this order."""
    nodes = [Node() for _ in range(COUNT)]
    for i in range(COUNT):
        nodes[order[i]].next = nodes[order[i - 1]]
        nodes[i].value = i
    return nodes


def shuffled():
    order = list(range(COUNT))
    random.Random(1).shuffle(order)
    return chain(order)


def dicts():
    """Dicts of an integer and a list of that and the one before: two objects each."""
    kept, before = [], None
    for i in range(COUNT // 2):
        before = [i, before]
        kept.append({"number": i, "list": before})
    return kept


def collect():
    wall, cpu = time.perf_counter(), time.process_time()
    gc.collect()
    return time.perf_counter() - wall, time.process_time() - cpu


gc.disable()
for name, build in ("slots", lambda: chain(range(COUNT))), ("dicts", dicts), ("shuffled", shuffled):
    kept = build()
    gc.collect()
    report(name, *map(min, zip(*(collect() for _ in range(5)))))
    del kept
