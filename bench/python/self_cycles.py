"""self_cycles: a million objects with attributes, each of which refers to itself, dropped and collected."""

import gc

from timing import scaled, timed


class Node:
    def __init__(self):
        self.me = self


gc.disable()
for _ in range(scaled(1_000_000)):
    Node()
timed("self-cycles", gc.collect)
