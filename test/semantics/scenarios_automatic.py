"""Collections that start by themselves: when, and of which generation. Lines "start" and "stop" come from a callback of the collector."""
from scene import *


def keep_chain(key, number):
    """Allocates objects that live, one after the other."""
    node = None
    for _ in range(number):
        next = plain("n")
        next.a = node
        node = next
    keep(key, node)


@scenario
def automatic_with_the_thresholds_of_a_new_heap():
    watch()
    keep_chain("k", 2200)
    counts()
    unwatch()
    let_go("k")


@scenario
def automatic_first_threshold():
    set_threshold(10, 100, 100)
    watch()
    x = plain("x0")
    for i in range(1, 10):
        y = plain(f"x{i}")
        y.a = x
        x = y
        del y
    counts()
    y = plain("the eleventh")
    counts()
    generations()
    unwatch()
    del x, y


@scenario
def automatic_collects_garbage():
    set_threshold(20, 100, 100)
    watch()
    for _ in range(25):
        ring("g", 2)
    counts()
    statistics()
    unwatch()
    collect(2)


@scenario
def automatic_counts_deallocations():
    set_threshold(10, 100, 100)
    watch()
    for _ in range(100):
        plain("dies at once")
    counts()
    unwatch()


@scenario
def automatic_counts_what_remains():
    set_threshold(10, 100, 100)
    watch()
    x = plain("x")
    for _ in range(40):
        y = plain("kept")
        y.a = x
        x = y
        z = plain("dies at once")
        del z
    counts()
    unwatch()
    del x, y


@scenario
def automatic_all_generations():
    set_threshold(5, 2, 2)
    watch()
    keep_chain("k", 120)
    counts()
    statistics()
    unwatch()
    let_go("k")


@scenario
def automatic_second_threshold_zero():
    set_threshold(5, 0, 1)
    watch()
    keep_chain("k", 60)
    counts()
    unwatch()
    let_go("k")


@scenario
def automatic_quarter_rule():
    """A full collection waits until a quarter as many objects as the last one left have come to the oldest generation but one."""
    set_threshold(0, 0, 0)
    keep_chain("many", 2000)
    collect(2)
    set_threshold(20, 1, 1)
    watch()
    keep_chain("k", 1000)
    counts()
    statistics()
    unwatch()
    let_go("k")
    let_go("many")


@scenario
def automatic_quarter_rule_with_few():
    set_threshold(0, 0, 0)
    keep_chain("many", 100)
    collect(2)
    set_threshold(7, 1, 1)
    watch()
    keep_chain("k", 300)
    unwatch()
    let_go("k")
    let_go("many")


@scenario
def automatic_quarter_rule_counts_survivors():
    """Garbage that the middle generation's collections find is not pending."""
    set_threshold(0, 0, 0)
    keep_chain("many", 400)
    collect(2)
    set_threshold(10, 1, 1)
    watch()
    for i in range(600):
        if i % 4:
            x = plain("g")
            x.a = x
            del x
        else:
            keep(f"k{i}", plain("k"))
    counts()
    unwatch()
    for i in range(0, 600, 4):
        let_go(f"k{i}")
    let_go("many")


@scenario
def automatic_quarter_rule_and_collect():
    """A collection of the middle generation that is asked for counts as one that came by itself."""
    set_threshold(0, 0, 0)
    keep_chain("many", 1000)
    collect(2)
    set_threshold(50, 1, 1)
    watch()
    keep_chain("k", 150)
    collect(1)
    keep_chain("l", 150)
    collect(1)
    keep_chain("m", 300)
    counts()
    unwatch()
    let_go("k")
    let_go("l")
    let_go("m")
    let_go("many")


def disable(_):
    gc.disable()


@scenario
def automatic_not_when_disabled():
    set_threshold(10, 2, 2)
    gc.disable()
    enabled()
    watch()
    keep_chain("k", 50)
    counts()
    gc.enable()
    enabled()
    x = plain("next")
    counts()
    unwatch()
    let_go("k")
    del x


@scenario
def automatic_not_with_threshold_zero():
    set_threshold(0, 2, 2)
    watch()
    keep_chain("k", 50)
    counts()
    enabled()
    set_threshold(10, 2, 2)
    x = plain("next")
    counts()
    unwatch()
    let_go("k")
    del x


@scenario
def automatic_threshold_of_one():
    set_threshold(1, 100, 100)
    watch()
    keep_chain("k", 6)
    counts()
    unwatch()
    let_go("k")


@scenario
def automatic_after_collect():
    """One that is asked for puts the count back."""
    set_threshold(10, 100, 100)
    watch()
    keep_chain("k", 8)
    collect(0)
    keep_chain("l", 10)
    counts()
    x = plain("next")
    counts()
    unwatch()
    let_go("k")
    let_go("l")
    del x


@scenario
def automatic_collection_of_old_garbage():
    x = ring("old", 4)
    collect(0)
    collect(1)
    del x
    set_threshold(10, 1, 1)
    watch()
    keep_chain("k", 100)
    unwatch()
    let_go("k")


@scenario
def automatic_new_object_is_not_looked_at():
    """The object whose allocation starts a collection is not part of it."""
    set_threshold(3, 100, 100)
    x = plain("x")
    y = plain("y")
    z = plain("z")
    generations()
    w = plain("w")
    generations()
    counts()
    del w, x, y, z


def allocate_ten(_):
    keep("ten", chain("late", 10))
    counts()


@scenario
def automatic_not_within_a_collection():
    set_threshold(5, 100, 100)
    watch()
    x = final("x", allocate_ten)
    x.a = x
    del x
    collect(0)
    counts()
    y = plain("next")
    counts()
    unwatch()
    let_go("ten")
    del y


@scenario
def automatic_within_a_finalizer_at_zero():
    set_threshold(5, 100, 100)
    watch()
    x = final("x", allocate_ten)
    x.a = final("a")
    del x
    counts()
    unwatch()
    let_go("ten")


@scenario
def automatic_within_a_weak_callback():
    set_threshold(5, 100, 100)
    watch()
    x = plain("x")
    called = callback("called", allocate_ten)
    w = weak(x, called)
    del x
    counts()
    unwatch()
    let_go("ten")
    del w, called


@scenario
def automatic_with_finalizers():
    """Their memory is used again, and the order of finalizers follows from that in ours: no order is promised."""
    set_threshold(10, 2, 100)
    for i in range(30):
        in_any_order()
        x = final(f"g{i}")
        in_order()
        x.a = x
        del x
        say(f"made g{i}")
    in_any_order()
    collect(2)
    in_order()


@scenario
def automatic_with_weak_references():
    """They are counted as well."""
    set_threshold(10, 100, 100)
    watch()
    x = plain("x")
    watchers = items("watchers", 30)
    for i in range(30):
        watchers[i] = weak(x, x)
    counts()
    weak_count(x)
    unwatch()
    del watchers
    counts()
    del x


@scenario
def automatic_with_items():
    set_threshold(10, 100, 100)
    watch()
    x = items("x", 40)
    for i in range(40):
        x[i] = items(f"i{i}", i)
    counts()
    unwatch()
    del x


@scenario
def automatic_disabled_on_the_way():
    set_threshold(5, 100, 100)
    x = final("x", disable)
    x.a = x
    del x
    watch()
    keep_chain("k", 30)
    enabled()
    counts()
    unwatch()
    let_go("k")


def raise_threshold(_):
    set_threshold(20, 100, 100)


@scenario
def automatic_threshold_changed_on_the_way():
    set_threshold(5, 100, 100)
    x = final("x", raise_threshold)
    x.a = x
    del x
    watch()
    keep_chain("k", 60)
    thresholds()
    counts()
    unwatch()
    let_go("k")
