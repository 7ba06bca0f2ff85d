"""What the scenarios on CPython's side are made of. scene.h has the same by the same names for ours; what differs between the two is
only how a language spells it.

Nothing here allocates an object that the collector counts, but those that the scenario asks for. What must (gc.get_objects makes
a list) stands between quiet.hush() and quiet.unhush(). So: no generators, no comprehensions, no bound methods, no exceptions, no
class with __init__, and no function made inside a scenario.
"""
import gc
import weakref

import _quiet as quiet

say = quiet.say
OLDEST = 2
SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


# ---- kinds of object ------------------------------------------------------------------------------------------------------


class Node:
    """Three references; fields are given up in alphabetical order."""
    __slots__ = ("a", "b", "c", "name", "on_call", "on_death", "__weakref__")

    def __call__(self, reference):
        """As the callback of a weak reference."""
        say(f"callback {self.name}: {'dead' if reference() is None else 'alive'}")
        if self.on_call is not None:
            self.on_call(self)


class Final(Node):
    """One with a finalizer."""
    __slots__ = ()

    def __del__(self):
        say(f"finalize {self.name}")
        if self.on_death is not None:
            self.on_death(self)


class Items(list):
    """A field and any number of items."""
    __slots__ = ("a", "name", "__weakref__")


class FinalItems(Items):
    __slots__ = ()

    def __del__(self):
        say(f"finalize {self.name}")


NODES = Node, Final
CONTAINERS = Node, Final, Items, FinalItems
NAMED = CONTAINERS + (quiet.Leaf, quiet.FinalLeaf)
made = 0  # nodes, since the scenario began


def _node(kind, name):
    global made
    made += 1
    node = kind()
    node.name = name
    node.a = node.b = node.c = node.on_call = node.on_death = None
    return node


def plain(name):
    return _node(Node, name)


def final(name, on_death=None):
    node = _node(Final, name)
    node.on_death = on_death
    return node


def _callback(kind, name, on_call):
    node = _node(kind, name)
    node.on_call = on_call
    return node


def callback(name, on_call=None):
    return _callback(Node, name, on_call)


def final_callback(name, on_call=None):
    return _callback(Final, name, on_call)


def _items(kind, name, length):
    items = kind()
    items.name = name
    items.a = None
    for _ in range(length):
        items.append(None)
    return items


def items(name, length):
    return _items(Items, name, length)


def final_items(name, length):
    return _items(FinalItems, name, length)


def leaf(name):
    return quiet.Leaf(name)


def final_leaf(name, on_death=None):
    return quiet.FinalLeaf(name, on_death)


def weak(target, called=None):
    return weakref.ref(target) if called is None else weakref.ref(target, called)


def ring(prefix, length, make=plain):
    """prefix0 -> prefix1 -> ... -> prefix0, by the field a. Returns the first."""
    first = last = make(f"{prefix}0")
    for i in range(1, length):
        node = make(f"{prefix}{i}")
        last.a = node
        last = node
    last.a = first
    return first


def chain(prefix, length, make=plain):
    """prefix0 -> prefix1 -> ..., by the field a; made from the end. Returns the first."""
    first = None
    for i in range(length - 1, -1, -1):
        node = make(f"{prefix}{i}")
        node.a = first
        first = node
    return first


# ---- references outside the heap ----------------------------------------------------------------------------------------------

kept = {}


def keep(key, value):
    kept[key] = value


def take(key):
    return kept[key]


def let_go(key):
    del kept[key]


def keep_self(node):
    """The finalizer that brings its object back: it is kept under its name."""
    kept[node.name] = node


# ---- reports ------------------------------------------------------------------------------------------------------------------


def name_of(value):
    return value.name if type(value) in NAMED else "weak" if type(value) is weakref.ref else None


def _names(values):
    names = []
    for value in values:
        name = name_of(value)
        if name is not None:
            names.append(name)
    return names


def _line(names):
    return " ".join(names) if names else "-"


def counts():
    say(f"count {quiet.count(0)} {quiet.count(1)} {quiet.count(2)}")


def collect(generation=OLDEST):
    number = gc.collect(generation)
    quiet.stock()
    say(f"collect {generation}: {number}")


def _generation(generation):
    return _line(sorted(x.name for x in gc.get_objects(generation) if type(x) in CONTAINERS))


def generations():
    quiet.hush()
    zero, one, two = _generation(0), _generation(1), _generation(2)
    quiet.unhush()
    say(f"generations: {zero} | {one} | {two}")


def tracked(x):
    say(f"tracked: {'yes' if gc.is_tracked(x) else 'no'}")


def finalized(x):
    say(f"finalized: {'yes' if gc.is_finalized(x) else 'no'}")


def references(x):
    """How many hold it, besides the parameter here."""
    say(f"references to {name_of(x)}: {quiet.refcount(x) - 1}")


def referents(x):
    quiet.hush()
    line = _line(_names(gc.get_referents(x)))
    quiet.unhush()
    say(f"{name_of(x)} refers to {line}")


def referrers(x):
    quiet.hush()
    line = _line(sorted(_names(gc.get_referrers(x))))
    quiet.unhush()
    say(f"{name_of(x)} is referred to by {line}")


def leads_to(reference):
    value = reference()
    say("weak reference is dead" if value is None else f"weak reference to {name_of(value)}")


def weak_count(x):
    say(f"weak references to {name_of(x)}: {weakref.getweakrefcount(x)}")


def same(x, y):
    say("the same" if x is y else "different")


def garbage():
    quiet.hush()
    line = _line(_names(gc.garbage))
    quiet.unhush()
    say(f"garbage: {line}")


_statistics_before = None
_frozen_before = 0


def _statistics():
    now = gc.get_stats()
    return " | ".join(" ".join(str(now[g][key] - _statistics_before[g][key])
                               for key in ("collections", "collected", "uncollectable")) for g in range(3))


def statistics():
    quiet.hush()
    line = _statistics()
    quiet.unhush()
    say(f"statistics: {line}")


def frozen():
    say(f"frozen: {gc.get_freeze_count() - _frozen_before}")


def thresholds():
    quiet.hush()
    line = " ".join(map(str, gc.get_threshold()))
    quiet.unhush()
    say(f"thresholds: {line}")


def enabled():
    say(f"enabled: {'yes' if gc.isenabled() else 'no'}")


def in_any_order():
    """What is said until in_order() comes in alphabetical order."""
    quiet.gather()


def in_order():
    quiet.gathered()


# ---- callbacks of the collector --------------------------------------------------------------------------------------------------


def restock(phase, info):
    """A callback's part when a full collection ends: the interpreter has lost its stock of tuples and dicts, and has made a new dict for
    the callbacks."""
    if phase == "stop" and info["generation"] == OLDEST:
        quiet.uncount()
        quiet.stock()


def report_collection(phase, info):
    restock(phase, info)
    say(f"{phase} generation {info['generation']}, {made} made, collected {info['collected']}, "
        f"uncollectable {info['uncollectable']}")


def watch():
    gc.callbacks.append(report_collection)


def unwatch():
    gc.callbacks.remove(report_collection)


def set_threshold(zero, one, two):
    gc.set_threshold(zero, one, two)


# ---- running --------------------------------------------------------------------------------------------------------------------


def run(name):
    """Runs a scenario in the state of a new heap: the collector as it is at the start of a process, no object in its generations, counts of zero."""
    global _statistics_before, _frozen_before, made
    gc.enable()
    gc.set_threshold(700, 10, 10)
    gc.set_debug(0)
    gc.garbage.clear()
    gc.callbacks.clear()
    kept.clear()
    kept[None] = []  # or the collector would begin to track the dict in the scenario
    made = 0
    gc.collect()
    gc.freeze()
    gc.collect()
    _statistics_before = gc.get_stats()
    function = SCENARIOS[name]
    quiet.stock()
    gc.freeze()
    _frozen_before = gc.get_freeze_count()
    quiet.begin(name)
    function()
    quiet.end()
