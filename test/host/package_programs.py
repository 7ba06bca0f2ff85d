"""Programs that use the package `heapwright`: package_programs.py NAME [ARGUMENTS]. Each asserts what it should see; what one prints is its test's to judge."""
import gc
import json
import multiprocessing
import os
import random
import signal
import socket
import sys
import threading
import time
import weakref

import heapwright


class Node:
    def __init__(self, number):
        self.number, self.other = number, None


def ring(size):
    nodes = [Node(i) for i in range(size)]
    for i, node in enumerate(nodes):
        node.other = nodes[i - 1]
    return nodes[0]


def churn(live, rings):
    """Makes rings that get old before they are dropped; what lives stays whole."""
    kept = [Node(i) for i in range(live)]
    recent = [None] * 500
    for i in range(rings):
        recent[i % len(recent)] = ring(1 + i % 7)
    assert all(node.number == i for i, node in enumerate(kept))


def expect_error(kind, words, function, *arguments):
    try:
        function(*arguments)
    except kind as error:
        assert words in str(error), error
    else:
        raise AssertionError("no %s" % kind.__name__)


# ---- installing ----

def installs(collector):
    """From midlife on: what was there before stays whole and dies, cycles are collected, figures are true."""
    assert not heapwright.installed()
    expect_error(RuntimeError, "does not run on heapwright", heapwright.stats)
    expect_error(RuntimeError, "does not run on heapwright", heapwright.pauses)
    expect_error(ValueError, "'sometimes'", heapwright.install, "sometimes")
    gc.disable()
    before = [ring(i % 10 + 1) for i in range(3000)]
    texts = {str(i): "x" * i for i in range(2000)}
    dead = [weakref.ref(each) for each in before[::2]]
    objects = len(gc.get_objects())
    assert heapwright.install(collector) is True
    assert heapwright.install() is False and heapwright.installed()
    assert abs(len(gc.get_objects()) - objects) < 1000
    gc.enable()
    del before[::2]
    assert gc.collect() >= 3000 and not any(each() for each in dead)
    for i in range(2000, 20000):
        texts[str(i)] = "x" * (i % 3000)
    for i in range(0, 20000, 3):
        del texts[str(i)]
    assert all(texts[key] == "x" * (int(key) if int(key) < 2000 else int(key) % 3000) for key in texts)
    churn(3000, 20000)
    weak = weakref.ref(ring(5))
    gc.collect()
    assert weak() is None
    figures = heapwright.stats()
    assert figures["collector"] == collector and figures["allocator"] == "heapwright"
    assert figures["collections"].get("mode") == (None if collector == "stock" else collector)
    memory = figures["memory"]
    assert memory["blocks"] > 20000 and memory["committed_bytes"] >= memory["page_bytes"] >= memory["block_bytes"] > 1e6, memory
    blocks = sys.getallocatedblocks()
    more = [[] for _ in range(10000)]
    assert sys.getallocatedblocks() >= blocks + 10000 and heapwright.stats()["memory"]["blocks"] > memory["blocks"], more


def keeps_settings():
    """What the program has told module gc before holds afterwards; tracemalloc may start then."""
    import tracemalloc
    calls = []
    gc.callbacks.append(lambda phase, info: calls.append((phase, info["generation"])))
    gc.freeze()
    frozen = gc.get_freeze_count()
    gc.set_threshold(300, 5, 5)
    gc.disable()
    assert heapwright.install()
    assert not gc.isenabled() and gc.get_threshold() == (300, 5, 5) and gc.get_freeze_count() == frozen > 1000
    churn(1000, 1000)
    assert calls == [] and gc.collect(1) > 3000 and calls == [("start", 1), ("stop", 1)]
    gc.unfreeze()
    gc.enable()
    tracemalloc.start()
    churn(5000, 2000)
    kept = [bytes(1000) for _ in range(1000)]
    assert tracemalloc.get_traced_memory()[0] > 1000 * len(kept)
    tracemalloc.stop()
    del kept
    churn(5000, 2000)
    assert gc.get_freeze_count() < frozen


def environment_decides():
    """HEAPWRIGHT_GC, where no collector is named."""
    assert heapwright.install()
    print(heapwright.stats()["collector"])


def another_allocator(reason):
    """The allocator that somebody chose stays; the collector is ours, in place."""
    if reason == "tracing":
        import tracemalloc
        tracemalloc.start()
    gc.collect()
    assert heapwright.install("beside")
    gc.set_threshold(100, 2, 1)
    churn(20000, 5000)
    figures = heapwright.stats()
    assert figures["collections"]["snapshots"] == 0 and list(figures["collections"]["in_place"]) == ["the memory allocator is not heapwright's"], figures
    assert figures["memory"]["blocks"] == 0
    if reason == "tracing":
        tracemalloc.stop()
        churn(1000, 1000)
    print(figures["allocator"])


def in_a_collection():
    """A finalizer that runs in one cannot install; a moment later it can be done."""
    class Late:
        def __del__(self):
            try:
                heapwright.install()
            except RuntimeError as error:
                reasons.append(str(error))
    reasons, late = [], Late()
    late.itself = late
    del late
    gc.collect()
    assert reasons == ["a collection is under way"], reasons
    assert heapwright.install()
    churn(1000, 1000)


def subinterpreters():
    if sys.version_info < (3, 13):
        import _xxsubinterpreters as interpreters
        create, run = (lambda: interpreters.create(isolated=False)), interpreters.run_string
    else:
        import _interpreters as interpreters
        create, run = (lambda: interpreters.create("legacy")), interpreters.exec
    attempt = """if True:
        import heapwright, os
        try:
            heapwright.install()
        except RuntimeError as error:
            os.write({}, str(error).encode())
    """
    one = create()
    reading, writing = os.pipe()
    run(one, attempt.format(writing))
    assert b"subinterpreter cannot" in os.read(reading, 1000)
    expect_error(RuntimeError, "there are subinterpreters", heapwright.install)
    interpreters.destroy(one)
    assert heapwright.install()
    other = create()
    run(other, "import heapwright, gc; assert heapwright.install() is False and heapwright.stats()['heapwright']; gc.collect()")
    run(other, "kept = [[i] for i in range(10000)]; assert heapwright.pauses() is not None")
    interpreters.destroy(other)
    churn(1000, 1000)


def isolated_interpreters():
    """Those with locks of their own collect, and ask, at the same time."""
    if sys.version_info < (3, 13):
        import _xxsubinterpreters as interpreters
        create, run = interpreters.create, interpreters.run_string
    else:
        import _interpreters as interpreters
        create, run = (lambda: interpreters.create("isolated")), interpreters.exec
    assert heapwright.install("beside")
    work = """if True:
        import heapwright
        for turn in range(40):
            kept = [[[i]] for i in range(5000)]
            for i in range(5000):
                kept[i].append(kept[i])
            del kept
            assert all(pause.seconds >= .0001 for pause in heapwright.pauses())
            assert heapwright.stats()["pauses"]["count"] > 0
    """
    made = [create(), create()]
    threads = [threading.Thread(target=run, args=(each, work)) for each in made]
    for thread in threads:
        thread.start()
    churn(3000, 20000)
    for thread in threads:
        thread.join()
    for each in made:
        interpreters.destroy(each)


def in_threads(seconds):
    """Threads that allocate and free all the time, with and without the interpreter's lock, while heapwright is installed."""
    end = time.monotonic() + float(seconds)
    failures = []

    def work(number):
        chance, kept = random.Random(number), {}
        try:
            while time.monotonic() < end:
                for _ in range(200):
                    key = chance.randrange(300)
                    kept[key] = ring(1 + key % 5), str(key) * key, bytes(key * 10)
                    old = kept.pop(chance.randrange(300), None)
                    assert old is None or len(old[2]) % 10 == 0 and len(old[1]) >= len(old[2]) // 10
                threading.Thread(target=time.sleep, args=(0,)).start()
        except BaseException as error:
            failures.append(error)
            raise
    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(float(seconds) / 3)
    results = []
    installers = [threading.Thread(target=lambda: results.append(heapwright.install("beside"))) for _ in range(4)]
    for thread in installers + threads:
        if thread in installers:
            thread.start()
        thread.join()
    assert sorted(results) == [False, False, False, True] and not failures, (results, failures)
    assert heapwright.stats()["pauses"]["count"] > 0


# ---- figures ----

def pauses():
    """What pauses there are, of each kind, and what they are called."""
    start = time.time() - 5  # it may have been installed before this program began
    if not heapwright.installed():
        assert heapwright.install("beside")
    gc.set_threshold(200, 3, 1)
    kinds, end = set(), time.monotonic() + 30
    while not {"in place", "snapshot", "slice"} <= kinds and time.monotonic() < end:
        churn(20000, 3000)
        kinds |= {pause.what for pause in heapwright.pauses()}
    gc.collect()
    found, sums = heapwright.pauses(), heapwright.stats()["pauses"]
    assert {"in place", "snapshot", "slice"} <= kinds <= {"in place", "snapshot", "slice", "wait"}, kinds
    assert all(isinstance(pause, heapwright.Pause) and isinstance(pause, tuple) for pause in found)
    assert 0 < len(found) <= 1024 and found == sorted(found, key=lambda pause: pause.time)
    assert all(start <= pause.time <= time.time() and .0001 <= pause.seconds <= 10 and pause.generation in (0, 1, 2) for pause in found)
    assert found[-1].generation == 2 and found[-1].what == "in place"
    assert sums["count"] >= len(found) and sums["longest_seconds"] >= max(pause.seconds for pause in found)
    assert sums["longest_seconds"] <= sums["seconds"] <= time.time() - start
    child = os.fork()
    if child == 0:
        os._exit(0 if heapwright.pauses() == [] and heapwright.stats()["pauses"]["count"] == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0


def many_pauses():
    """More than are kept: the latest are."""
    heapwright.install("inplace")
    kept = [[i] for i in range(3000)]
    for _ in range(1100):
        gc.collect()
    found = heapwright.pauses()
    assert len(found) == 1024 and found == sorted(found, key=lambda pause: pause.time), len(kept)
    assert time.time() - found[-1].time < 10 and heapwright.stats()["pauses"]["count"] >= 1100


def stock_collector():
    heapwright.install("stock")
    gc.collect()
    assert heapwright.stats()["collections"] == {} and heapwright.stats()["pauses"]["count"] == 0
    expect_error(RuntimeError, "Python's own collector", heapwright.pauses)


def by_the_tool():
    """The tool has loaded a library already: it is that one which the package asks."""
    assert heapwright.installed() and heapwright.install("inplace") is False
    with open("/proc/self/maps") as maps:
        loaded = {line.split(None, 5)[5].strip() for line in maps if "libheapwright-cpython" in line}
    print(json.dumps([list(loaded), heapwright.stats(), len(heapwright.pauses())]))


# ---- processes ----

def child_work(number):
    if __name__ != "__main__" and "HEAPWRIGHT_INSTALL" not in os.environ:
        heapwright.install()
    churn(1000, 500)
    return heapwright.installed(), number * 2


def processes():
    """By multiprocessing, in all three ways. What a fork inherits the others get by the environment, or by themselves."""
    heapwright.install()
    for method in "fork", "spawn", "forkserver":
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(child_work, range(8)) == [(True, 2 * i) for i in range(8)], method


def serve(listener):
    """A worker of the server below: an answer for each connection, cycles for each answer, until it is asked to stop."""
    stopping, cache = [], []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    listener.settimeout(.2)
    while not stopping:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection:
            connection.recv(100)
            cache.extend(ring(3) for _ in range(500))
            del cache[:-5000]
            found = heapwright.stats()["pauses"]["count"]
            connection.sendall(b"%d %d" % (os.getpid(), found))


def server():
    """A master that listens and forks workers, as gunicorn does; one that is killed is replaced; a graceful stop ends all well."""
    heapwright.install("beside")
    gc.set_threshold(200, 3, 1)
    application = [Node(i) for i in range(50000)]
    listener = socket.create_server(("127.0.0.1", 0))

    def start_worker():
        child = os.fork()
        if child == 0:
            status = 1
            try:
                serve(listener)
                status = 0 if all(node.number == i for i, node in enumerate(application)) else 3
            finally:
                os._exit(status)
        return child

    def ask():
        with socket.create_connection(listener.getsockname(), timeout=30) as connection:
            connection.sendall(b"?")
            return tuple(map(int, connection.recv(100).split()))
    workers = [start_worker() for _ in range(3)]
    answers = [ask() for _ in range(100)]
    os.kill(workers[0], signal.SIGKILL)
    killed, status = os.wait()
    assert killed == workers[0] and os.WTERMSIG(status) == signal.SIGKILL
    workers[0] = start_worker()
    answers += [ask() for _ in range(100)]
    assert {worker for worker, _ in answers} <= {killed, *workers} and all(count > 0 for _, count in answers[-50:])
    for worker in workers:
        os.kill(worker, signal.SIGTERM)
    ended = sorted(os.wait() for _ in workers)
    assert ended == sorted((worker, 0) for worker in workers), ended
    churn(1000, 5000)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
