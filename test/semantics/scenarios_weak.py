"""Weak references: what they lead to, and when no more."""
from scene import *


@scenario
def weak_reference_and_its_object():
    x = plain("x")
    w = weak(x)
    leads_to(w)
    del x
    leads_to(w)
    collect(2)
    leads_to(w)
    del w


@scenario
def weak_reference_is_one_without_callback():
    x = plain("x")
    w = weak(x)
    same(w, weak(x))
    weak_count(x)
    called = callback("called")
    v = weak(x, called)
    same(v, weak(x, called))
    same(w, weak(x))
    weak_count(x)
    del w
    weak_count(x)
    w = weak(x)
    weak_count(x)
    del v
    weak_count(x)
    del w
    weak_count(x)
    del x, called


@scenario
def weak_references_to_acyclic_objects():
    x = leaf("x")
    called = callback("called")
    w = weak(x)
    v = weak(x, called)
    weak_count(x)
    leads_to(v)
    tracked(v)
    del x
    leads_to(w)
    leads_to(v)
    del w, v, called


@scenario
def weak_reference_to_items():
    x = items("x", 3)
    called = callback("called")
    w = weak(x, called)
    weak_count(x)
    x[0] = x
    del x
    leads_to(w)
    collect(2)
    leads_to(w)
    del w, called


@scenario
def weak_reference_dies_first():
    x = plain("x")
    called = final_callback("called")
    w = weak(x, called)
    del called
    say("the reference goes")
    del w
    weak_count(x)
    del x
    say("end")


@scenario
def weak_reference_within_its_object():
    x = plain("x")
    called = callback("called")
    x.a = weak(x, called)
    del x
    say("end")
    del called


@scenario
def weak_reference_within_its_cycle():
    """It is garbage with the rest: no call."""
    x = ring("x", 2)
    called = callback("called")
    x.b = weak(x, called)
    del x
    collect(2)
    say("end")
    del called


@scenario
def weak_reference_in_another_piece_of_garbage():
    x = ring("x", 2)
    y = ring("y", 2)
    called = callback("called")
    y.b = weak(x, called)
    del x, y
    collect(2)
    del called


@scenario
def weak_reference_in_older_garbage():
    """That is not in this collection, so it is called."""
    y = ring("y", 2)
    collect(0)
    x = ring("x", 2)
    called = callback("called")
    y.b = weak(x, called)
    collect(0)
    z = ring("z", 2)
    y.c = weak(z, called)
    collect(0)
    del y, z
    y = ring("w", 2)
    w = weak(y, called)
    del y
    collect(0)
    del x
    collect(1)
    collect(2)
    del called, w


@scenario
def weak_reference_to_its_own_callback_object():
    x = callback("x")
    w = weak(x, x)
    del x
    collect(2)
    leads_to(w)
    references(w())
    del w
    collect(2)
    counts()


@scenario
def weak_references_are_counted_among_the_garbage():
    x = plain("x")
    x.a = x
    x.b = weak(x)
    y = plain("y")
    y.a = y
    called = callback("called")
    y.b = weak(y, called)
    y.c = weak(called)
    del x, y
    collect(2)
    del called


def look_through_kept(_):
    leads_to(take("w"))


@scenario
def weak_reference_in_a_finalizer_at_zero():
    x = final("x", look_through_kept)
    keep("w", weak(x))
    del x
    leads_to(take("w"))
    let_go("w")


@scenario
def weak_reference_in_a_finalizer_in_a_collection():
    x = final("x", look_through_kept)
    x.a = x
    keep("w", weak(x))
    del x
    collect(2)
    let_go("w")


@scenario
def weak_reference_in_a_callback_of_another():
    """All weak references to an object are cleared before the first of its callbacks is called."""
    x = plain("x")
    called = callback("called", look_through_kept)
    v = weak(x, called)
    keep("w", weak(x, called))
    del x
    let_go("w")
    del v, called


@scenario
def weak_reference_to_the_next_in_a_callback():
    x = chain("x", 2)
    called = callback("called", look_through_kept)
    v = weak(x, called)
    keep("w", weak(x.a))
    del x
    leads_to(take("w"))
    let_go("w")
    del v, called


@scenario
def weak_reference_to_the_next_in_a_callback_in_a_collection():
    x = ring("x", 2)
    called = callback("called", look_through_kept)
    v = weak(x, called)
    keep("w", weak(x.a))
    del x
    collect(2)
    let_go("w")
    del v, called


def weaken(node):
    keep("w", weak(node))
    leads_to(take("w"))


@scenario
def weak_reference_made_in_a_finalizer():
    x = final("x", weaken)
    del x
    leads_to(take("w"))
    x = final("x", weaken)
    x.a = x
    del x
    collect(2)
    leads_to(take("w"))
    let_go("w")


def weaken_with_callback(node):
    keep("w", weak(node, take("called")))


@scenario
def weak_reference_with_callback_made_in_a_finalizer():
    keep("called", callback("called"))
    x = final("x", weaken_with_callback)
    del x
    say("dead")
    x = final("x", weaken_with_callback)
    x.a = x
    del x
    collect(2)
    let_go("w")
    let_go("called")


@scenario
def weak_reference_to_the_resurrected_at_zero():
    """The finalizer came first, so nothing was cleared."""
    called = callback("called")
    x = final("x", keep_self)
    w = weak(x)
    v = weak(x, called)
    del x
    leads_to(w)
    weak_count(take("x"))
    let_go("x")
    leads_to(w)
    del v, w, called


@scenario
def weak_reference_to_the_resurrected_in_a_collection():
    """Weak references were cleared first, and stay so; new ones can be made."""
    called = callback("called")
    x = final("x", keep_self)
    x.a = x
    w = weak(x)
    v = weak(x, called)
    del x
    collect(2)
    leads_to(w)
    leads_to(v)
    x = take("x")
    weak_count(x)
    u = weak(x)
    same(u, w)
    leads_to(u)
    x.a = None
    let_go("x")
    del x
    leads_to(u)
    del u, v, w, called


@scenario
def weak_reference_to_what_resurrects():
    """An outside one, to what hangs from the resurrected object, is cleared as well."""
    x = final("x", keep_self)
    x.a = x
    x.b = plain("hanging")
    w = weak(x.b)
    del x
    collect(2)
    leads_to(w)
    references(take("x").b)
    x = take("x")
    x.a = None
    let_go("x")
    del w, x


@scenario
def weak_reference_within_the_resurrected():
    """It was garbage: cleared without a call, though its holder comes back."""
    called = callback("called")
    x = final("x", keep_self)
    x.a = x
    x.b = weak(x, called)
    x.c = weak(called)
    del x
    collect(2)
    x = take("x")
    leads_to(x.b)
    leads_to(x.c)
    x.a = None
    let_go("x")
    del x
    say("end")
    del called


@scenario
def weak_reference_from_the_resurrected_to_the_living():
    outside = plain("outside")
    called = callback("called")
    x = final("x", keep_self)
    x.a = x
    x.b = weak(outside, called)
    del x
    collect(2)
    x = take("x")
    leads_to(x.b)
    del outside
    say("end")
    x.a = None
    let_go("x")
    del x, called


@scenario
def weak_reference_gives_an_owned_reference():
    x = plain("x")
    w = weak(x)
    y = w()
    references(x)
    del x
    leads_to(w)
    del y
    leads_to(w)
    del w


@scenario
def weak_reference_holds_nothing():
    x = ring("x", 2)
    w = weak(x)
    v = weak(x.a)
    del x
    leads_to(w)
    collect(2)
    leads_to(w)
    leads_to(v)
    del v, w


@scenario
def weak_reference_in_each_generation():
    x = plain("x")
    collect(0)
    collect(0)
    x.a = weak(x)
    x.b = x
    collect(0)
    del x
    collect(1)
    collect(2)


@scenario
def weak_count_in_a_finalizer():
    x = final("x", weak_count)
    u = weak(x)
    called = callback("called")
    v = weak(x, called)
    del x
    x = final("y", weak_count)
    x.a = x
    u = weak(x)
    v = weak(x, called)
    del x
    collect(2)
    del u, v, called


@scenario
def weak_references_from_a_common_callback_object():
    called = final_callback("called")
    x = plain("x")
    y = plain("y")
    v = weak(x, called)
    w = weak(y, called)
    references(called)
    del called
    del y
    say("and x")
    del x
    say("end")
    del v, w


@scenario
def weak_references_to_many_objects():
    set_threshold(0, 0, 0)
    watched = items("watched", 300)
    watchers = items("watchers", 300)
    for i in range(300):
        watched[i] = plain(f"n{i}")
        watchers[i] = weak(watched[i], callback(f"c{i}"))
    watched[0].a = watched
    counts()
    del watched
    counts()
    collect(2)
    counts()
    del watchers
    counts()


@scenario
def weak_reference_to_a_sibling_in_a_finalizer():
    """The fields of a dying object are given up one after the other: the next one still holds."""
    x = plain("x")
    x.a = final("a", look_through_kept)
    x.b = final("b", look_through_kept)
    x.c = final("c", look_through_kept)
    keep("w", weak(x.b))
    del x
    let_go("w")


def save_through_kept(_):
    keep("saved", take("w")())


@scenario
def weak_reference_saves_a_sibling():
    x = plain("x")
    x.a = final("a", save_through_kept)
    x.b = final("b")
    x.c = final("c")
    keep("w", weak(x.b))
    del x
    say("x is dead")
    references(take("saved"))
    leads_to(take("w"))
    let_go("saved")
    let_go("w")


@scenario
def weak_reference_saves_an_item():
    x = items("x", 100)
    for i in range(100):
        x[i] = final(f"i{i}")
    x[50].on_death = save_through_kept
    keep("w", weak(x[49]))
    in_any_order()
    del x
    in_order()
    references(take("saved"))
    leads_to(take("w"))
    let_go("saved")
    let_go("w")
