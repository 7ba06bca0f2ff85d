"""What a program can see of the cycle collector. Each scenario prints; test_collector.py runs them on Python's own collector and
on ours and compares what was printed, on both streams.

    collector_scenarios.py [NAME]     without a name: the names
"""
import gc
import random
import sys
import weakref

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Node:
    def __init__(self, name=""):
        self.name = name
        self.me = self

    def __repr__(self):
        return "<%s>" % self.name


class Loud(Node):
    def __del__(self):
        print("finalized", self.name)


class Slots:
    __slots__ = "a", "b", "__weakref__"


def garbage(count, kind=Node):
    for i in range(count):
        kind(i)


def errors(*calls):
    for call in calls:
        try:
            print(call())
        except Exception as error:
            print(type(error).__name__, error)


@scenario
def results():
    for generation in 0, 1, 2:
        garbage(generation + 3)
        print(gc.collect(generation), gc.get_count(), gc.get_stats()[generation])
    garbage(5)
    print(gc.collect(generation=1), gc.collect(), gc.get_count())
    gc.disable()
    garbage(5)
    print(gc.isenabled(), gc.collect(), gc.get_threshold(), gc.get_debug(), gc.garbage)
    errors(lambda: gc.collect(3), lambda: gc.collect(-1), lambda: gc.collect("x"), lambda: gc.collect(1, 2), lambda: gc.collect(gen=1),
           lambda: gc.get_objects(3), lambda: gc.get_objects(-2), lambda: gc.get_objects("x"), lambda: gc.set_debug("x"),
           lambda: gc.set_debug(), lambda: gc.freeze(1), lambda: gc.get_referrers(), lambda: gc.collect.__doc__, lambda: gc.collect)


@scenario
def automatic():
    """Which generations are collected on their own, when, and what they find."""
    for thresholds in (10, 3, 2), (700, 10, 10), (5, 1, 1), (50, 0, 0), (0, 1, 1):
        gc.collect()
        log = []
        gc.callbacks.append(lambda phase, info: log.append((phase[:3], info["generation"], info["collected"])))
        gc.set_threshold(*thresholds)
        kept = []
        for i in range(3000):
            kept.append([i])
            if i % 7 == 0:
                Node()
            if i % 500 == 0:
                log.append(gc.get_count())
        gc.set_threshold(700, 10, 10)
        gc.callbacks.clear()
        print(thresholds, len(log), log[:200])
    print(gc.get_stats())


@scenario
def callbacks():
    def first(phase, info):
        print("first", phase, info, gc.collect(), gc.get_count()[1:])

    def second(phase, info):
        print("second", phase, sorted(info))
        info["collected"] = "changed"
        if phase == "stop":
            gc.callbacks.remove(second)

    def third(phase, info):
        print("third", phase, info)
        raise ValueError("of the third")

    gc.callbacks.extend([first, second, third, None])
    garbage(4)
    print(gc.collect())
    garbage(4)
    print(gc.collect(0), gc.get_stats()[0])
    gc.callbacks[:] = [lambda phase, info: gc.callbacks.clear()]
    garbage(4)
    print(gc.collect(), gc.callbacks)

    class Adds(Node):
        def __del__(self):
            gc.callbacks.append(lambda *arguments: print("added", *arguments))
    Adds()
    print(gc.collect(), len(gc.callbacks))
    print(gc.collect())
    gc.callbacks.clear()


@scenario
def debug_lines():
    garbage(1, Loud)
    gc.set_debug(gc.DEBUG_STATS | gc.DEBUG_COLLECTABLE)
    print(gc.get_debug())
    garbage(2)
    gc.collect(0)
    garbage(1, Loud)
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    garbage(3)
    garbage(2, Loud)
    print(gc.collect(), gc.garbage, gc.get_debug())
    gc.set_debug(gc.DEBUG_LEAK)
    gc.garbage.clear()
    print(gc.collect(), gc.garbage)
    gc.set_debug(0)
    gc.garbage.clear()
    print(gc.collect())


@scenario
def freezing():
    gc.collect()
    garbage(3)
    before = len(gc.get_objects())
    print(gc.freeze(), gc.get_freeze_count() - before, gc.get_count(), len(gc.get_objects()), gc.collect())
    garbage(2)
    print(gc.collect(), gc.get_objects(0), gc.unfreeze(), gc.get_freeze_count(), gc.collect(), len(gc.get_objects(2)) > 1000)


@scenario
def looking():
    node, box = Node("looked for"), []
    box.append(node)
    names = [type(each).__name__ for each in gc.get_referrers(node)]
    print(sorted(names), any(each is box for each in gc.get_referrers(node)), gc.get_referents(box))
    gc.collect()
    print([type(each).__name__ for each in gc.get_objects(0)], [type(each).__name__ for each in gc.get_objects(generation=1)])
    young = [Node(1), Slots()]
    print([repr(each) for each in gc.get_objects(0) if isinstance(each, Node)], len(gc.get_objects(None)) == len(gc.get_objects()))
    print(any(each is young for each in gc.get_objects()), gc.get_objects()[-1] is not young)
    print(sum(isinstance(each, Node) for each in gc.get_objects()), gc.is_finalized(node), gc.is_tracked(node))
    print([type(each).__name__ for each in gc.get_objects() if "heapwright" in type(each).__name__])


@scenario
def audit():
    sys.addaudithook(lambda event, arguments: print(event, len(arguments)) if event.startswith("gc.") else None)
    gc.get_objects()
    gc.get_objects(1)
    gc.get_referrers(SCENARIOS)
    gc.get_referents(SCENARIOS)
    gc.collect()
    gc.freeze()
    gc.unfreeze()


@scenario
def finalizers():
    class Revives(Loud):
        def __del__(self):
            print("revived", self.name, gc.is_finalized(self), gc.collect())
            kept.append(self)

    class Raises(Node):
        def __del__(self):
            raise ValueError("of a finalizer")

    kept = []
    for i in range(5):
        Loud(i)
    Revives("a").other = Loud("held by a")
    Raises("b")
    print(gc.collect(), kept, gc.get_stats()[2]["collected"] > 0)
    kept.clear()
    print(gc.collect(), kept, gc.collect())


@scenario
def weak_references():
    def note(name):
        return lambda reference: print("called back", name, reference() is None)

    a, b = Node("a"), Node("b")
    a.b, b.a = b, a
    outside = [weakref.ref(a, note(1)), weakref.ref(b, note(2)), weakref.ref(a, note(3)), weakref.proxy(b, note(4)), weakref.ref(a)]
    a.inside = weakref.ref(b, note("inside"))

    class Looks(Node):
        def __del__(self):
            print("sees", outside[0](), outside[4]())
    a.looks = Looks("c")
    raising = weakref.ref(b, lambda reference: 1 / 0)
    dropped = [weakref.ref(b, lambda reference: dropped.clear())]
    table = weakref.WeakValueDictionary(a=a, b=b)
    del a, b
    print(gc.collect(), dict(table), outside[4](), raising() is None, dropped)


@scenario
def untracking():
    for generation in 0, 1, 2:
        inner, number = tuple([1, "a"]), len(sys.argv) + 1000
        objects = [tuple([number, inner]), {"a": inner}, {"b": tuple([number])}, {number: {}}, {"c": []}, tuple([[]]),
                   tuple([tuple([tuple([number])])]), {"d": {"e": number}}, {}]
        objects.append({"late": None})
        objects[-1]["tracked"] = []
        objects[-1]["late"], objects[-1]["tracked"] = tuple([number, 2]), 1
        before = list(map(gc.is_tracked, objects))
        gc.collect(generation)
        print(generation, before, list(map(gc.is_tracked, objects)))
        gc.collect(generation)
        print(list(map(gc.is_tracked, objects)))
    many = [{"k": []} for _ in range(200)]
    for each in many:
        each["k"] = tuple([len(many)])
    gc.collect()
    print(sum(map(gc.is_tracked, many)), gc.collect(), sum(map(gc.is_tracked, many)))


@scenario
def shapes():
    """Every way in which an instance holds its attributes, and what the collector sees of it."""
    class Slotted(Node):
        __slots__ = "slot",

    class Table(dict):
        pass

    class Meta(type):
        pass

    class Sized(tuple):
        pass

    def kinds():
        for kind in Node, Slotted, Table, Slots, Meta("Made", (), {}), Meta("Deeper", (Node,), {}), list, Sized:
            yield kind()

    def many(each):
        for i in range(40):
            setattr(each, "name%d" % i, [i])

    def replaced(each):
        each.__dict__ = {"other": [each], 5: []}

    changes = {"none": lambda each: None, "one": lambda each: setattr(each, "slot", [each]), "dict": lambda each: each.__dict__,
               "both": lambda each: (setattr(each, "slot", []), each.__dict__), "many": many, "replaced": replaced,
               "deleted": lambda each: (setattr(each, "slot", 1), each.__dict__, delattr(each, "slot"))}
    for name, change in changes.items():
        for each in kinds():
            try:
                change(each)
            except AttributeError as error:
                print(name, error)
                continue
            gc.collect(0)
            print(name, type(each).__name__, [type(one).__name__ for one in gc.get_referents(each)])
            del each
            print(gc.collect(), end=" ")


@scenario
def order():
    """Random graphs: in which order what is garbage dies, and in which the rest is kept."""
    dice = random.Random(5)
    log = []

    class Dies:
        def __init__(self, name):
            self.name, self.links = name, {}

        def __del__(self):
            log.append(self.name)

    class Calls:
        __slots__ = "name", "links", "__weakref__"

        def __init__(self, name):
            self.name, self.links = name, []

    watched = {}
    roots = []
    for step in range(30000):
        node = (Dies if dice.random() < 0.6 else Calls)(step)
        if isinstance(node, Calls):
            watched[step] = weakref.ref(node, lambda reference, step=step: log.append(-step))
        for _ in range(dice.randrange(3)):
            if roots:
                other = dice.choice(roots)
                for one, two in (node, other), (other, node):
                    if dice.random() < 0.5:
                        if isinstance(one, Dies):
                            one.links[dice.randrange(4)] = two
                        else:
                            one.links.append((two, step))
        roots.append(node)
        if len(roots) > 60:
            roots.pop(dice.randrange(len(roots)))
        if dice.random() < 0.003:
            log.append(("collected", gc.collect(dice.randrange(3))))
        if step % 3000 == 0:
            for kind in Dies, Calls:
                log.append([each.name for each in gc.get_objects() if type(each) is kind])
    print(len(log))
    for at in range(0, len(log), 20):
        print(log[at:at + 20])


@scenario
def subinterpreters():
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        import _interpreters as interpreters
    code = """if True:
        import gc, sys
        class A:
            def __init__(self): self.me = self
            def __del__(self): print("del", end=" ")
        gc.collect()
        for i in range(111): A()
        print(gc.collect(), gc.collect(), gc.get_count(), gc.get_stats()[2], gc.get_threshold(), gc.get_debug())
        print(len(gc.get_objects()), any("outer" in repr(type(each)) for each in gc.get_objects()), gc.get_freeze_count())
        gc.callbacks.append(lambda phase, info: print(phase, info))
        gc.collect(0)
        gc.set_threshold(5, 1, 1)
        kept = [[i] for i in range(40)]
        gc.callbacks.clear()
        gc.set_debug(gc.DEBUG_STATS)
        gc.collect(1)
        gc.set_debug(0)
        at_exit = A()
        """
    Outer = type("outer", (), {})
    kept = [Outer() for _ in range(100)]
    print(gc.collect(), gc.get_stats()[2]["collections"])
    made = [interpreters.create() for _ in range(3)]
    for each in made:
        print(interpreters.run_string(each, code), flush=True)
    print(gc.collect(), gc.get_stats()[2]["collections"], gc.get_debug(), gc.get_threshold(), gc.callbacks)
    for each in made:
        interpreters.destroy(each)
    garbage(7)
    print(gc.collect(), len(kept), sum(type(each) is Outer for each in gc.get_objects()))


@scenario
def legacy_finalizers():
    from _testcapi import with_tp_del

    @with_tp_del
    class Old:
        def __tp_del__(self):
            print("tp_del")

    gc.callbacks.append(lambda phase, info: print(phase, info))
    one, two = Old(), Node("held by it")
    one.me, one.two = one, two
    del one, two
    garbage(2)
    print(gc.collect(), len(gc.garbage), gc.get_stats()[2]["uncollectable"])
    gc.set_debug(gc.DEBUG_UNCOLLECTABLE | gc.DEBUG_STATS)
    one = Old()
    one.me = one
    del one
    print(gc.collect(), len(gc.garbage))
    gc.set_debug(gc.DEBUG_SAVEALL)
    one, two = Old(), Node("held by it")
    one.me, one.two = one, two
    del one, two
    print(gc.collect(), gc.garbage[-1])
    gc.set_debug(0)


@scenario
def threads():
    import threading

    def work():
        for i in range(2000):
            Node(i)
    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    gc.collect()
    print(sum(isinstance(each, Node) for each in gc.get_objects()))


@scenario
def forks():
    import os
    garbage(3)
    child = os.fork()
    print("collected", gc.collect(), flush=True)
    if child:
        os.waitpid(child, 0)
    else:
        os._exit(0)


def module_level_end(name):
    """Scenarios of the interpreter's end print during it."""
    def decorate(function):
        SCENARIOS[name] = function
        return function
    return decorate


@module_level_end("end_with_finalizers")
def end_with_finalizers():
    for i in range(3):
        Loud(i)
    globals()["at_end"] = [Loud("kept"), weakref.ref(SCENARIOS["order"], print)]


@module_level_end("end_with_callbacks")
def end_with_callbacks():
    gc.callbacks.append(lambda phase, info: sys.__stdout__.write("%s %s\n" % (phase, info)))
    garbage(3)


@module_level_end("end_with_statistics")
def end_with_statistics():
    gc.collect()
    gc.set_debug(gc.DEBUG_STATS)
    garbage(3)


@module_level_end("end_with_garbage")
def end_with_garbage():
    gc.set_debug(gc.DEBUG_SAVEALL)
    garbage(3)
    gc.collect()
    gc.set_debug(gc.DEBUG_UNCOLLECTABLE)


@module_level_end("end_with_garbage_unlisted")
def end_with_garbage_unlisted():
    gc.garbage.append(Node("left"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        SCENARIOS[sys.argv[1]]()
    else:
        print(*SCENARIOS)
