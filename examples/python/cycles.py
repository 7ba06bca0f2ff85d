"""Two objects that refer to each other.

Each keeps the other's count above zero, so counting alone would never free them, even when nobody else can
reach them. For such garbage Python has a second mechanism, the cycle collector, in the module gc.
"""

import gc
import sys


class Node:
    def __init__(self):
        self.other = None


gc.disable()                    # so that nothing is collected before we look
gc.collect()

a, b = Node(), Node()
a.other, b.other = b, a
print("references to a: the name and b:", sys.getrefcount(a) - 1)
del a, b

alive = sum(isinstance(each, Node) for each in gc.get_objects())
print("no name is left, nodes alive:   ", alive)

# collect() returns how many objects it found that nobody could reach.
print("the collector found the nodes:  ", gc.collect() >= 2)
alive = sum(isinstance(each, Node) for each in gc.get_objects())
print("nodes alive after that:         ", alive)

# A list can hold itself. It is the smallest cycle, and the count returned is exact.
knot = []
knot.append(knot)
del knot
print("a list that held itself, found: ", gc.collect())
print("and nothing more to find:       ", gc.collect())
