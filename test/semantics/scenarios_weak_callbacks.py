"""Callbacks of weak references: whether they are called, in which order, what they may do."""
from scene import *


@scenario
def weak_callback_is_called_once():
    x = plain("x")
    called = callback("called")
    w = weak(x, called)
    references(called)
    del x
    references(called)
    leads_to(w)
    del w
    say("end")
    del called


@scenario
def weak_callbacks_newest_first():
    x = plain("x")
    one = callback("one")
    two = callback("two")
    three = callback("three")
    u = weak(x, one)
    v = weak(x, two)
    bare = weak(x)
    w = weak(x, three)
    weak_count(x)
    del x
    del u, v, w, bare, one, two, three


@scenario
def weak_callbacks_newest_first_in_a_collection():
    x = ring("x", 2)
    one = callback("one")
    two = callback("two")
    three = callback("three")
    u = weak(x, one)
    v = weak(x, two)
    bare = weak(x)
    w = weak(x, three)
    del x
    collect(2)
    leads_to(bare)
    del u, v, w, bare, one, two, three


@scenario
def weak_callbacks_of_several_objects():
    """A chain dies: an object's callbacks are called before its fields are given up."""
    x = chain("x", 3, final)
    one = callback("of x2")
    two = callback("of x0")
    three = callback("of x1")
    u = weak(x.a.a, one)
    v = weak(x, two)
    w = weak(x.a, three)
    del x
    del u, v, w, one, two, three


@scenario
def weak_callbacks_of_several_objects_in_a_collection():
    x = ring("x", 3, final)
    one = callback("of x2")
    two = callback("of x0")
    three = callback("of x1")
    u = weak(x.a.a, one)
    v = weak(x, two)
    w = weak(x.a, three)
    del x
    collect(2)
    del u, v, w, one, two, three


@scenario
def weak_callback_object_goes_after_its_call():
    x = plain("x")
    w = weak(x, final_callback("called"))
    del x
    say("x is dead")
    leads_to(w)
    counts()
    del w
    say("end")


@scenario
def weak_callback_object_goes_after_its_call_in_a_collection():
    ring("other", 2)
    x = ring("x", 2)
    w = weak(x, final_callback("called"))
    del x
    collect(2)
    leads_to(w)
    counts()
    del w
    say("end")


@scenario
def weak_callbacks_take_turns_with_their_ends():
    x = plain("x")
    u = weak(x, final_callback("one"))
    v = weak(x, final_callback("two"))
    del x
    say("end")
    del u, v


@scenario
def weak_callback_object_within_the_cycle():
    """The weak reference lives and so keeps the callback, which keeps the cycle."""
    x = callback("x")
    x.a = plain("y")
    x.a.a = x
    w = weak(x.a, x)
    del x
    collect(2)
    generations()
    leads_to(w)
    del w
    collect(2)


@scenario
def weak_callback_object_and_reference_within_the_cycle():
    x = callback("x")
    x.a = plain("y")
    x.a.a = x
    x.b = weak(x.a, x)
    del x
    collect(2)
    counts()


@scenario
def weak_callback_object_with_finalizer_in_the_garbage():
    x = ring("x", 2, final)
    x.b = weak(x.a, final_callback("called"))
    del x
    collect(2)


def let_go_of_w(_):
    let_go("w")
    say("let go of the other")


@scenario
def weak_callback_that_drops_the_next():
    x = plain("x")
    one = callback("one")
    two = callback("two", let_go_of_w)
    keep("w", weak(x, one))
    v = weak(x, two)
    del x
    say("end")
    del v, one, two


@scenario
def weak_callback_that_drops_the_next_in_a_collection():
    x = plain("x")
    x.a = x
    one = callback("one")
    two = callback("two", let_go_of_w)
    keep("w", weak(x, one))
    v = weak(x, two)
    del x
    collect(2)
    say("end")
    del v, one, two


@scenario
def weak_callback_that_drops_its_own_reference():
    x = plain("x")
    keep("w", weak(x, final_callback("called", let_go_of_w)))
    del x
    say("end")


@scenario
def weak_callback_that_drops_its_own_reference_in_a_collection():
    x = plain("x")
    x.a = x
    keep("w", weak(x, final_callback("called", let_go_of_w)))
    del x
    collect(2)
    say("end")


def kill_kept(_):
    let_go("victim")
    say("killed")


@scenario
def weak_callback_that_kills_another():
    x = plain("x")
    victim = final("victim")
    called = callback("of victim")
    w = weak(victim, called)
    keep("victim", victim)
    killer = callback("killer", kill_kept)
    v = weak(x, killer)
    del victim
    del x
    say("end")
    del w, v, called, killer


def allocate_and_collect(_):
    ring("late", 2)
    collect(2)


@scenario
def weak_callback_that_collects():
    x = plain("x")
    called = callback("called", allocate_and_collect)
    w = weak(x, called)
    del x
    counts()
    del w, called


@scenario
def weak_callback_that_collects_in_a_collection():
    x = ring("x", 3)
    called = callback("called", allocate_and_collect)
    w = weak(x, called)
    del x
    collect(2)
    counts()
    collect(2)
    del w, called


def weaken_kept(_):
    keep("w", weak(take("y")))


@scenario
def weak_callback_that_makes_a_weak_reference():
    y = plain("y")
    keep("y", y)
    x = plain("x")
    called = callback("called", weaken_kept)
    w = weak(x, called)
    del x
    weak_count(y)
    leads_to(take("w"))
    let_go("w")
    let_go("y")
    del w, y, called


@scenario
def weak_callback_that_collects_what_the_dead_object_holds():
    x = plain("x")
    x.a = ring("r", 3)
    called = callback("called", allocate_and_collect)
    w = weak(x, called)
    del x
    say("dead")
    collect(2)
    del w, called


def look_at_generations(_):
    generations()
    counts()


@scenario
def weak_callback_that_looks_at_generations():
    x = plain("x")
    x.a = plain("y")
    called = callback("called", look_at_generations)
    w = weak(x, called)
    del x
    x = ring("z", 2)
    w = weak(x, called)
    del x
    collect(0)
    del w, called


def look_at_statistics(_):
    statistics()


@scenario
def weak_callback_that_looks_at_statistics():
    x = ring("x", 2)
    called = callback("called", look_at_statistics)
    w = weak(x, called)
    del x
    collect(0)
    statistics()
    del w, called
