"""locality: new objects after most old ones were freed in random order, and a full collection after that."""

import gc
import random

from timing import scaled, timed


class Node:
    __slots__ = ("a", "b")


def nodes(count):
    return [Node() for _ in range(count)]


gc.disable()
old = nodes(scaled(1_000_000))
random.Random(2).shuffle(old)
del old[:scaled(900_000)]
new = timed("realloc", nodes, scaled(900_000))
timed("collect", gc.collect)
