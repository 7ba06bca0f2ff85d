"""Callbacks of the collector, statistics, what is kept as garbage."""
from scene import *


@scenario
def callbacks_tell_what_is_collected():
    watch()
    collect(0)
    y = ring("y", 4, final)
    y.on_death = keep_self
    ring("x", 3)
    collect(0)
    ring("z", 2)
    del y
    collect(1)
    collect(2)
    let_go("y0")
    collect(2)
    unwatch()
    collect(2)


def first(phase, info):
    restock(phase, info)
    say(f"first {phase}")


def second(phase, info):
    say(f"second {phase}")


@scenario
def callbacks_are_called_in_order():
    gc.callbacks.append(first)
    gc.callbacks.append(second)
    collect(0)
    gc.callbacks.remove(first)
    collect(0)
    gc.callbacks.append(first)
    collect(0)
    gc.callbacks.remove(first)
    gc.callbacks.remove(second)
    collect(0)


@scenario
def callbacks_the_same_twice():
    gc.callbacks.append(second)
    gc.callbacks.append(second)
    collect(0)
    gc.callbacks.remove(second)
    collect(0)
    gc.callbacks.remove(second)
    collect(0)


def count_in_callback(phase, info):
    restock(phase, info)
    say(phase)
    counts()


@scenario
def callbacks_see_the_counts():
    gc.callbacks.append(count_in_callback)
    x = plain("x")
    y = plain("y")
    collect(0)
    ring("z", 3)
    collect(1)
    collect(2)
    gc.callbacks.remove(count_in_callback)
    del x, y


def collect_in_callback(phase, info):
    say(phase)
    collect(0)
    collect(2)


@scenario
def callbacks_that_collect():
    gc.callbacks.append(collect_in_callback)
    ring("x", 2)
    collect(0)
    ring("y", 2)
    collect(1)
    gc.callbacks.remove(collect_in_callback)
    statistics()


def allocate_in_callback(phase, info):
    say(phase)
    keep(phase, plain(f"of {phase}"))
    ring(phase, 2)


@scenario
def callbacks_that_allocate():
    gc.callbacks.append(allocate_in_callback)
    collect(0)
    counts()
    generations()
    collect(0)
    counts()
    generations()
    gc.callbacks.remove(allocate_in_callback)
    collect(1)
    let_go("start")
    let_go("stop")


def add_second(phase, info):
    say(f"adds at {phase}")
    if phase == "start":
        gc.callbacks.append(second)


@scenario
def callbacks_added_by_a_callback():
    gc.callbacks.append(add_second)
    collect(0)
    gc.callbacks.remove(add_second)
    collect(0)
    gc.callbacks.remove(second)


def remove_second(phase, info):
    say(f"removes at {phase}")
    if phase == "start":
        gc.callbacks.remove(second)


@scenario
def callbacks_removed_by_a_callback():
    gc.callbacks.append(remove_second)
    gc.callbacks.append(second)
    collect(0)
    gc.callbacks.remove(remove_second)
    collect(0)


def remove_self(phase, info):
    say(f"removes itself at {phase}")
    gc.callbacks.remove(remove_self)


@scenario
def callbacks_that_remove_themselves():
    gc.callbacks.append(remove_self)
    gc.callbacks.append(second)
    collect(0)
    collect(0)
    gc.callbacks.remove(second)


def keep_kept_alive(phase, info):
    say(phase)
    if phase == "start":
        let_go("x")


@scenario
def callbacks_that_make_garbage_at_the_start():
    """It is found by the collection that starts."""
    keep("x", ring("x", 3))
    gc.callbacks.append(keep_kept_alive)
    collect(0)
    gc.callbacks.remove(keep_kept_alive)
    collect(2)


@scenario
def callbacks_and_finalizers():
    watch()
    called = callback("called")
    x = ring("x", 2, final)
    w = weak(x, called)
    del x
    collect(2)
    unwatch()
    del w, called


@scenario
def statistics_of_each_generation():
    statistics()
    collect(0)
    statistics()
    ring("x", 3)
    collect(0)
    statistics()
    ring("y", 2)
    collect(1)
    statistics()
    ring("z", 4)
    collect(2)
    collect(2)
    statistics()
    x = chain("w", 5)
    del x
    collect(2)
    statistics()


@scenario
def statistics_of_resurrection():
    x = ring("x", 3, final)
    x.on_death = keep_self
    del x
    collect(2)
    statistics()
    let_go("x0")
    collect(2)
    statistics()


@scenario
def statistics_of_what_hangs_from_cycles():
    x = ring("x", 2)
    x.b = chain("y", 3)
    x.c = leaf("leaf")
    del x
    collect(2)
    statistics()


def set_debug(flags):
    gc.set_debug(flags)
    say(f"debug: {gc.get_debug()}")


@scenario
def garbage_is_saved():
    garbage()
    set_debug(gc.DEBUG_SAVEALL)
    x = ring("x", 3)
    x.b = chain("y", 2)
    x.c = leaf("leaf")
    del x
    collect(2)
    garbage()
    generations()
    statistics()
    references(gc.garbage[0])
    collect(2)
    garbage()
    set_debug(0)
    collect(2)
    gc.garbage.clear()
    garbage()
    collect(2)
    statistics()


@scenario
def garbage_saved_has_been_finalized():
    set_debug(gc.DEBUG_SAVEALL)
    called = callback("called")
    x = ring("x", 2, final)
    w = weak(x, called)
    v = weak(x)
    del x
    collect(2)
    garbage()
    leads_to(v)
    finalized(gc.garbage[0])
    tracked(gc.garbage[1])
    set_debug(0)
    gc.garbage.clear()
    say("cleared")
    collect(2)
    del v, w, called


@scenario
def garbage_saved_without_cycles_dies_when_cleared():
    set_debug(gc.DEBUG_SAVEALL)
    x = plain("x")
    x.a = x
    x.b = final("hanging")
    x.c = final("another")
    del x
    collect(2)
    garbage()
    gc.garbage[0].a = None
    set_debug(0)
    gc.garbage.clear()
    say("end")
    counts()
    collect(2)


@scenario
def garbage_saved_in_each_generation():
    set_debug(gc.DEBUG_SAVEALL)
    ring("x", 2)
    collect(0)
    garbage()
    generations()
    x = ring("y", 2)
    collect(0)
    del x
    collect(1)
    garbage()
    generations()
    set_debug(0)
    gc.garbage.clear()
    collect(2)


@scenario
def garbage_saved_by_an_automatic_collection():
    set_debug(gc.DEBUG_SAVEALL)
    set_threshold(10, 100, 100)
    watch()
    for i in range(12):
        x = plain(f"g{i}")
        x.a = x
        del x
    unwatch()
    garbage()
    counts()
    set_debug(0)
    gc.garbage.clear()
    collect(2)


@scenario
def garbage_saved_with_resurrection():
    set_debug(gc.DEBUG_SAVEALL)
    x = ring("x", 2, final)
    x.on_death = keep_self
    ring("y", 2)
    del x
    collect(2)
    garbage()
    let_go("x0")
    collect(2)
    garbage()
    set_debug(0)
    gc.garbage.clear()
    collect(2)


@scenario
def garbage_saved_among_weak_references():
    """Those in the garbage are saved as well; so is nothing that dies on the way."""
    set_debug(gc.DEBUG_SAVEALL)
    x = ring("x", 2)
    called = callback("called")
    x.b = weak(x, called)
    x.c = weak(x.a)
    del x
    collect(2)
    garbage()
    set_debug(0)
    gc.garbage.clear()
    collect(2)
    del called


def say_statistics(phase, info):
    restock(phase, info)
    say(phase)
    statistics()


@scenario
def callbacks_see_the_statistics():
    gc.callbacks.append(say_statistics)
    ring("x", 2)
    collect(1)
    collect(2)
    gc.callbacks.remove(say_statistics)


def clear_field(node):
    node.a = None


@scenario
def garbage_saved_when_a_finalizer_breaks_the_cycle():
    """What has died cannot be saved."""
    set_debug(gc.DEBUG_SAVEALL)
    x = ring("x", 3, final)
    x.on_death = clear_field
    y = ring("y", 2, final)
    del x, y
    collect(2)
    garbage()
    set_debug(0)
    gc.garbage.clear()
    collect(2)
