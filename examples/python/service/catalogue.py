"""A service that keeps a large catalogue in memory, and tells how long its requests took.

    catalogue.py [--products N] [--rate N] [--seconds N] [--sessions N] [--freeze]

The catalogue is made of ordinary objects that refer to each other. Requests arrive at a fixed rate, ready or not: each searches the catalogue and leaves a
session behind, a tree whose nodes know their parents, so a cycle. Sessions are dropped after a while, when they have long been old to Python's collector. The time
of a request counts from its arrival, so whoever has to wait behind a pause is counted, too; and each collection is timed by a callback of module gc.
"""
import argparse
import collections
import gc
import json
import random
import resource
import sys
import time

try:
    import heapwright
except ImportError:
    heapwright = None


class Product:
    def __init__(self, number):
        self.number = number
        self.name = "product %d" % number
        self.tags = ["tag %d" % (number % 100), "tag %d" % (number % 77)]
        self.related = []


class Node:
    """A part of a session."""

    def __init__(self, parent, product):
        self.parent, self.product, self.children = parent, product, []
        if parent is not None:
            parent.children.append(self)


def make_catalogue(count, chance):
    products = [Product(i) for i in range(count)]
    for product in products:
        for _ in range(3):
            product.related.append(products[chance.randrange(count)])
    return products


def answer(body, catalogue, sessions):
    """What the service does for a request."""
    wanted = json.loads(body)["product"]
    session = Node(None, catalogue[wanted])
    for product in session.product.related:
        node = Node(session, product)
        for other in product.related:
            Node(node, other)
    sessions.append(session)
    return json.dumps([product.name for product in session.product.related])


class Collections:
    """Times collections, by gc.callbacks."""

    def __init__(self):
        self.seconds, self.start = [], 0
        gc.callbacks.append(self)

    def __call__(self, phase, info):
        if phase == "start":
            self.start = time.perf_counter()
        else:
            self.seconds.append(time.perf_counter() - self.start)


def serve(catalogue, options, chance):
    """Returns what each request took, from its arrival to its answer."""
    sessions, times = collections.deque(maxlen=options.sessions), []
    arrival = time.perf_counter()
    for _ in range(options.rate * options.seconds):
        arrival += 1 / options.rate
        body = json.dumps({"product": chance.randrange(len(catalogue))})
        time.sleep(max(0, arrival - time.perf_counter()))
        answer(body, catalogue, sessions)
        times.append(time.perf_counter() - arrival)
    return times


def show(what, seconds):
    seconds = sorted(seconds)
    print("%-12s %6d   half of them within %6.2f ms, 99 %% within %7.2f ms, all within %7.2f ms" % (
        what, len(seconds), *(seconds[min(len(seconds) - 1, len(seconds) * part // 1000)] * 1000 for part in (500, 990, 1000))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=400_000)
    parser.add_argument("--rate", type=int, default=1000, help="requests a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--sessions", type=int, default=10_000, help="how many are kept")
    parser.add_argument("--freeze", action="store_true", help="take the catalogue out of all collections: gc.freeze()")
    options = parser.parse_args()

    watched, chance = Collections(), random.Random(1)
    start = time.perf_counter()
    catalogue = make_catalogue(options.products, chance)
    print("%d objects in %.2f s, Python %s, %s" % (len(gc.get_objects()), time.perf_counter() - start, sys.version.split()[0],
                                                   "on heapwright" if heapwright and heapwright.installed() else "as it is"))
    show("collections", watched.seconds)
    watched.seconds.clear()
    if options.freeze:
        gc.freeze()
    show("requests", serve(catalogue, options, chance))
    show("collections", watched.seconds)
    print("peak memory %d MiB" % (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
    if heapwright and heapwright.installed():
        for pause in sorted(heapwright.pauses(), key=lambda pause: -pause.seconds)[:3]:
            print("    %.2f ms at %s: %s, generation %d" % (pause.seconds * 1000, time.strftime("%X", time.localtime(pause.time)),
                                                           pause.what, pause.generation))


if __name__ == "__main__":
    main()
