"""Programs that make cyclic garbage while snapshots of their heap are out: beside_programs.py NAME [ARGUMENTS]. Each asserts what it should see and
prints what heapwright says that it did, as JSON."""
import collections
import contextlib
import ctypes
import gc
import json
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref


def library():
    with open("/proc/self/maps") as maps:
        return next(line.split(None, 5)[5].strip() for line in maps if "libheapwright-cpython" in line)


REPORT = ctypes.CDLL(library()).hwri_host_gc_report
TEXT = ctypes.c_char * 8192  # kept, since ctypes brings back one that is garbage and not cleared yet


def report():
    text = TEXT()
    REPORT(text, ctypes.c_size_t(len(text)))
    return json.loads(text.value)


class Node:
    def __init__(self, number):
        self.number, self.other = number, None


class Weak:
    __slots__ = ("number", "other", "more", "__weakref__")

    def __init__(self, number):
        self.number, self.other = number, None


def ring(size, kind=Node):
    nodes = [kind(i) for i in range(size)]
    for i, node in enumerate(nodes):
        node.other = nodes[i - 1]
    return nodes[0]


LIVE = 10000


def churn(until, seconds=20):
    """Makes rings that get old before they are dropped, until a condition holds; whether it came to hold. What lives stays whole."""
    gc.set_threshold(200, 3, 1)
    live = [Node(i) for i in range(LIVE)]
    recent, end = [None] * 2000, time.monotonic() + seconds
    made = 0
    while not until() and time.monotonic() < end:
        for _ in range(200):
            recent[made % len(recent)] = ring(4)
            made += 1
    assert [node.number for node in live] == list(range(LIVE))
    return until()


def collected(more):
    start = report()["collected"]
    return lambda: report()["collected"] >= start + more


def snapshot_is_out():
    return report()["out"]


def children():
    found = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/children" % task) as file:
                found += map(int, file.read().split())
        except FileNotFoundError:
            pass
    return found


def without_heapwright():
    return {name: value for name, value in os.environ.items() if not name.startswith("HEAPWRIGHT") and name != "LD_PRELOAD"}


# ---- it works ----

def collects():
    assert churn(collected(20000))


def one_at_a_time():
    most = []
    def enough():
        most.append(len(children()))
        return report()["found"] >= 5
    assert churn(enough)
    assert max(most) == 1, max(most)


def weak_references():
    """Callbacks of weak references from outside are called once, those of garbage never; finalizers run once; what they bring back lives."""
    calls, finals, back = [], [], []
    class Final:
        def __del__(self):
            finals.append(self.number)
            if self.number % 5 == 0:
                back.append(self)
    kept = []
    pairs = []
    for i in range(500):
        one, two = Final(), Node(i)
        one.number, one.other, two.other = i, two, one
        two.own = weakref.ref(one, lambda _: calls.append("from garbage"))
        kept.append(weakref.ref(two, lambda _: calls.append(i)))
        pairs.append(one)
    gc.collect()
    del one, two, pairs
    assert churn(lambda: len(finals) == 500)
    assert sorted(finals) == list(range(500)) and sorted(n.number for n in back) == list(range(0, 500, 5))
    assert all(n.other.other is n and n.other.number == n.number for n in back)
    assert calls and "from garbage" not in calls and all(ref() is None for ref in kept)
    done = len(calls)
    assert done == 500, done


def large_component():
    """One component that takes many slices: it is taken away in pieces."""
    levels = []
    gc.callbacks.append(lambda phase, info: levels.append(sys.getallocatedblocks()) if phase == "stop" else None)
    big = before = None
    base = sys.getallocatedblocks()
    for i in range(300000):
        big = ring(2)
        big.before, before = before, big
    gc.collect()
    def most_drop():
        return max((a - b for a, b in zip(levels, levels[1:])), default=0)
    size = sys.getallocatedblocks() - base
    del big, before
    assert churn(lambda: report()["largest_component"] >= 600000 and report()["collected"] >= 600000, 90)
    assert most_drop() < size / 2 or report()["in_place"], (most_drop(), size, levels[-8:], report())


def ceiling():
    """However slow the child is, what waits for it is bounded by what there was when it was made."""
    alive = [0]
    class Counted:
        def __init__(self):
            alive[0] += 1
        def __del__(self):
            alive[0] -= 1
    gc.set_threshold(200, 3, 1)
    live = [Node(i) for i in range(LIVE)]
    recent, most, lives = [None] * 5000, 0, len(gc.get_objects()) + 2 * 5000
    made, end = 0, time.monotonic() + 60
    while report()["waits"] < 3 and time.monotonic() < end:
        for _ in range(100):
            one = Counted()
            one.me = one
            recent[made % 5000], made = one, made + 1
        most = max(most, alive[0])
    assert report()["waits"] >= 3
    assert most < 4 * lives + 5 * 200000, (most, lives)


def explicit():
    """gc.collect() finds everything and says how much, whatever a child is doing; so do freeze and the debug flags."""
    def garbage_and_snapshot():
        assert churn(snapshot_is_out)
        gc.collect()
        assert not snapshot_is_out()
    garbage_and_snapshot()
    gc.disable()
    for i in range(1000):
        ring(3)
    before = report()["given_up"]
    count = gc.collect()
    assert 3000 <= count <= 7000, count
    assert gc.collect() == 0
    gc.enable()
    assert churn(snapshot_is_out)
    gc.freeze()
    assert not snapshot_is_out() and gc.get_freeze_count() > 0
    gc.unfreeze()
    assert churn(snapshot_is_out)
    gc.set_debug(gc.DEBUG_SAVEALL)
    assert not snapshot_is_out()
    gc.set_debug(0)
    gc.garbage.clear()
    assert report()["given_up"] > before


def untracks():
    """Dicts that need no tracking lose it, as in a full collection in place."""
    dicts = [{"a": i} for i in range(2000)]
    tracked = [{"a": []} for i in range(2000)]
    for one in dicts:
        one["b"] = one["c"] = []
        del one["b"], one["c"]
    assert all(map(gc.is_tracked, dicts))
    assert churn(lambda: report()["found"] >= 3 and not any(map(gc.is_tracked, dicts)))
    assert all(map(gc.is_tracked, tracked))


# ---- failures ----

def survives():
    """The garbage is collected, with children or without."""
    rings = [ring(3, Weak) for _ in range(1000)]
    alive = [weakref.ref(one) for one in rings]
    gc.collect()
    del rings
    assert churn(lambda: all(one() is None for one in alive))


def large():
    ballast = b"x" * (40 << 20)
    survives()
    assert len(ballast) == 40 << 20


def killed():
    """Every child is killed."""
    stop = threading.Event()
    def kill():
        while not stop.wait(.001):
            for pid in children():
                with contextlib.suppress(ProcessLookupError): # it has ended by itself
                    os.kill(pid, signal.SIGKILL)
    thread = threading.Thread(target=kill)
    thread.start()
    try:
        assert churn(lambda: report()["died"] >= 2 and report()["in_place"])
    finally:
        stop.set()
        thread.join()
    survives()


def failing(name):
    assert churn(lambda: report()[name] >= 1 and report()["in_place"], 40), report()
    survives()


def no_processes():
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    assert churn(lambda: bool(report()["in_place"]))
    survives()


def no_addresses():
    with open("/proc/self/status") as status:
        size = next(int(line.split()[1]) for line in status if line.startswith("VmSize")) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size + (100 << 20),) * 2)
    assert churn(lambda: bool(report()["in_place"]))
    survives()


def filtered():
    """A program that lets the system end it if it makes a process: all but that system call is allowed."""
    clone = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    rules = [(0x20, 0, 0, 0), (0x15, 0, 1, clone), (0x06, 0, 0, 0x80000000), (0x06, 0, 0, 0x7fff0000)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *rule) for rule in rules))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(38, 1, 0, 0, 0) == 0
    filters = struct.pack("=HxxxxxxQ", len(rules), ctypes.addressof(program))
    assert prctl(22, 2, ctypes.c_char_p(filters), 0, 0) == 0, os.strerror(ctypes.get_errno())
    assert churn(lambda: bool(report()["in_place"]))
    survives()


# ---- what a program can notice ----

def notices_nothing():
    signals = []
    signal.signal(signal.SIGCHLD, lambda *_: signals.append(1))
    assert churn(snapshot_is_out)
    for wait in lambda: os.waitpid(-1, os.WNOHANG), os.wait, lambda: os.waitpid(0, 0):
        try:
            wait()
            raise AssertionError("there was a child to wait for")
        except ChildProcessError:
            pass
    before = report()["found"]
    assert churn(lambda: report()["found"] >= before + 3)
    assert not signals
    assert subprocess.run([sys.executable, "-c", "print(7)"], capture_output=True).stdout == b"7\n"
    assert len(signals) == 1


def pipe_ends():
    read, write = os.pipe()
    assert churn(snapshot_is_out)
    os.close(write)
    start = time.monotonic()
    assert os.read(read, 1) == b""
    assert time.monotonic() - start < .5 and snapshot_is_out()


def forks():
    assert churn(snapshot_is_out)
    child = os.fork()
    if child == 0:
        ok = not snapshot_is_out() and not children() and gc.collect() >= 0
        ok = ok and churn(lambda: report()["found"] >= 1 or bool(report()["in_place"]))
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    found = report()["found"]
    assert churn(lambda: report()["found"] > found)


TRY_LOCK = "import fcntl, sys\ntry: fcntl.lockf(open(sys.argv[1], 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)\nexcept OSError: print('locked')\n"


def is_locked(path):
    done = subprocess.run([sys.executable, "-c", TRY_LOCK, path], capture_output=True, text=True, env=without_heapwright())
    assert done.stderr == "", done.stderr
    return done.stdout == "locked\n"


def locks(path):
    """A lock on a file outlives the children, and an exec."""
    import fcntl
    file = open(path, "w+")
    fcntl.lockf(file, fcntl.LOCK_EX)
    assert churn(lambda: report()["found"] >= 2)
    assert churn(snapshot_is_out)
    assert is_locked(path)
    file.flush()
    os.set_inheritable(file.fileno(), True)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, __file__, "after_exec", path])


def after_exec(path):
    time.sleep(.1)
    assert is_locked(path)


def thread_ends():
    """The thread in which a snapshot was taken ends while it is out."""
    thread = threading.Thread(target=lambda: churn(snapshot_is_out))
    thread.start()
    thread.join()
    assert snapshot_is_out()
    found = report()["found"]
    assert churn(lambda: report()["found"] > found)
    assert report()["died"] == 0


def exits(how):
    """The program ends while a child is out: `os._exit` or on its own, or by a signal."""
    assert churn(snapshot_is_out)
    print(json.dumps(report()), flush=True)
    print(children()[0], flush=True)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "_exit":
        os._exit(0)
    sys.exit(0)


def many_threads():
    stop, errors = threading.Event(), []
    def work():
        try:
            while not stop.is_set():
                nodes = [ring(random.randrange(1, 5)) for _ in range(100)]
                assert all(node.other is not None for node in nodes)
        except BaseException as error:
            errors.append(error)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    ok = churn(collected(5000), 40)
    stop.set()
    for thread in threads:
        thread.join()
    assert ok and not errors, errors


def young():
    """Objects that all stay are not examined while they are young, those of a program that makes garbage are."""
    kept = [Node(i) for i in range(1000000)]
    passed = report()["young_unexamined"]
    made = sum(stats["collections"] for stats in gc.get_stats())
    assert made // 2 < passed < made, (passed, made)
    collected = sum(stats["collected"] for stats in gc.get_stats()[:2])
    for _ in range(300000):
        ring(3)
    assert sum(stats["collected"] for stats in gc.get_stats()[:2]) - collected > 600000
    assert report()["young_unexamined"] - passed < 500
    last = weakref.ref(ring(2))
    gc.collect(1)
    assert last() is None and len(kept) == 1000000


def recent():
    """What is kept for a while is collected soon after, though a full collection is a long way off."""
    kept = [Node(i) for i in range(300000)]
    window, alive, end = collections.deque(maxlen=20000), weakref.WeakSet(), time.monotonic() + 60
    while report()["recent_collected"] < 1000000 and time.monotonic() < end:
        window.append(ring(3, Weak))
        alive.add(window[-1])
    assert report()["recent_collected"] >= 1000000 and len(alive) < 130000, (len(alive), report())
    assert len(kept) == 300000 and all(node.other.other.other is node for node in window)


def recent_in_vain():
    """A program that builds something is hardly kept waiting."""
    kept = [Node(i) for i in range(1000000)]
    figures = report()
    assert figures["recent_rounds"] > figures["recent_examined"] > 0, figures
    assert figures["recent_collected"] < 1000 and len(kept) == 1000000


def recent_is_old():
    """To the program, what is recent is in the oldest generation like the rest."""
    gc.set_threshold(100, 3, 1000)
    known = [Node(i) for i in range(50000)]
    window = [None] * 300
    made, end = 0, time.monotonic() + 20
    while report()["recent_collected"] < 10000 and time.monotonic() < end:
        window[made % 300] = ring(4, Weak)
        made += 1
    assert report()["recent_collected"] >= 10000, report()
    one = window[0]
    for _ in range(100):
        ring(200)
    old = {id(found) for found in gc.get_objects(2)}
    assert id(one) in old and id(known[0]) in old and id(known[-1]) in old
    assert any(found is one.other.other for found in gc.get_referrers(one.other.other.other))
    gc.freeze()
    assert not gc.get_objects(2) and gc.get_freeze_count() >= len(known)
    gc.unfreeze()
    dead = weakref.ref(window[1])
    del window[:]
    gc.collect()
    assert dead() is None and one.other.other.other.other is one


# ---- stress ----

def stress(seconds, seed="1", figure="freed_meanwhile"):
    """Revives candidates through weak references, breaks them, frees them and has their blocks used again."""
    chance, calls = random.Random(int(seed)), []
    kept, weak, old, checks = [Node(i) for i in range(20000)], [], [], 0
    gc.set_threshold(50, 2, 2)
    def is_enough():
        return checks > 1000 and report()[figure] > 1000

    end, longest = time.monotonic() + float(seconds), time.monotonic() + 60
    while time.monotonic() < end or time.monotonic() < longest and not is_enough():
        for _ in range(200):
            kind, size = chance.choice((Node, Weak)), chance.randrange(1, 12)
            first = node = ring(size, kind)
            for _ in range(size):
                node.more = [node.number]
                node = node.other
            if chance.random() < .7:
                weak.append(weakref.ref(node, calls.append if chance.random() < .5 else None))
            old.append(first)
        while len(old) > 3000:
            old.pop(chance.randrange(len(old)))
        for _ in range(len(weak) - 3500 if len(weak) > 5000 else 0):
            node = weak.pop(chance.randrange(len(weak)))()
            nodes = []
            while node is not None:
                assert node.more == [node.number] and 0 <= node.number < 12
                nodes.append(node)
                following, node.other = node.other, None
                node = following
            checks += len(nodes)
            if chance.random() < .2 and nodes:
                for i, each in enumerate(nodes):
                    each.other = nodes[i - 1]
                old.append(nodes[0])
            del nodes
            node = following = each = None
            junk = [bytes(chance.randrange(20, 120)) for _ in range(10)], [[0] * chance.randrange(1, 10) for _ in range(10)]
            if chance.random() < .05:
                kept[chance.randrange(len(kept))] = junk
    assert is_enough(), (checks, report())


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    if sys.argv[1] != "exits":
        print(json.dumps(report()))
