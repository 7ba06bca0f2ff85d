"""Looking at objects: who refers to whom, who is in which generation; freezing."""
from scene import *


@scenario
def referents_in_order():
    x = plain("x")
    referents(x)
    x.c = plain("third")
    x.a = plain("first")
    referents(x)
    x.b = leaf("leaf")
    referents(x)
    x.a = x.c
    referents(x)
    x.b = x
    referents(x)
    del x
    collect(2)


@scenario
def referents_of_items():
    x = items("x", 3)
    referents(x)
    x.a = plain("field")
    x[0] = plain("i0")
    x[1] = plain("i1")
    x[2] = x[0]
    referents(x)
    x[1] = x[0]
    referents(x)
    del x


@scenario
def referents_of_acyclic_objects():
    x = leaf("x")
    referents(x)
    del x


@scenario
def referents_of_a_weak_reference():
    x = plain("x")
    called = callback("called")
    v = weak(x, called)
    w = weak(x)
    referents(v)
    referents(w)
    del x
    referents(v)
    del called, v, w


@scenario
def referrers_of_an_object():
    x = plain("x")
    referrers(x)
    y = plain("y")
    z = items("z", 3)
    y.a = x
    referrers(x)
    y.b = x
    z[0] = x
    z[2] = y
    referrers(x)
    referrers(y)
    x.a = x
    referrers(x)
    x.a = None
    y.a = None
    referrers(x)
    del y, z
    referrers(x)
    del x


@scenario
def referrers_of_an_acyclic_object():
    x = leaf("x")
    y = plain("y")
    y.a = x
    z = items("z", 1)
    z[0] = x
    referrers(x)
    del y, z
    referrers(x)
    del x


@scenario
def referrers_in_all_generations():
    x = plain("x")
    a = plain("a")
    a.a = x
    collect(0)
    b = plain("b")
    b.a = x
    collect(1)
    c = plain("c")
    c.a = x
    collect(0)
    d = plain("d")
    d.a = x
    generations()
    referrers(x)
    del a, b, c, d, x


@scenario
def referrers_among_garbage():
    x = plain("x")
    y = ring("y", 2)
    y.b = x
    del y
    referrers(x)
    collect(2)
    referrers(x)
    del x


@scenario
def referrers_among_weak_references():
    x = plain("x")
    called = callback("called")
    v = weak(x, called)
    referrers(x)
    referrers(called)
    del v
    referrers(called)
    del x, called


@scenario
def referrers_among_the_frozen():
    x = plain("x")
    y = plain("y")
    y.a = x
    gc.freeze()
    z = plain("z")
    z.a = x
    referrers(x)
    del x, y, z


@scenario
def freezing():
    x = plain("x")
    collect(0)
    y = plain("y")
    collect(0)
    collect(1)
    z = plain("z")
    frozen()
    gc.freeze()
    frozen()
    generations()
    counts()
    tracked(x)
    w = plain("w")
    generations()
    frozen()
    collect(2)
    generations()
    frozen()
    del w, x, y, z
    frozen()


@scenario
def freezing_counts():
    x = plain("x")
    collect(0)
    collect(1)
    collect(0)
    y = plain("y")
    counts()
    gc.freeze()
    counts()
    del x, y
    counts()


@scenario
def freezing_garbage():
    x = ring("x", 3)
    gc.freeze()
    del x
    collect(2)
    frozen()
    gc.unfreeze()
    generations()
    collect(0)
    collect(1)
    collect(2)
    generations()


@scenario
def freezing_what_garbage_refers_to():
    x = plain("x")
    gc.freeze()
    y = ring("y", 2)
    y.b = x
    del y
    references(x)
    collect(2)
    references(x)
    x.a = ring("z", 2)
    collect(2)
    x.a = None
    collect(2)
    del x


@scenario
def freezing_weak_references():
    x = ring("x", 2)
    called = callback("called")
    w = weak(x, called)
    gc.freeze()
    frozen()
    del x
    collect(2)
    leads_to(w)
    gc.unfreeze()
    collect(2)
    leads_to(w)
    del w, called


@scenario
def freezing_and_finalizers():
    x = final("x", keep_self)
    gc.freeze()
    del x
    frozen()
    let_go("x")
    frozen()


@scenario
def freezing_twice():
    x = plain("x")
    gc.freeze()
    y = plain("y")
    gc.freeze()
    frozen()
    counts()
    del x
    frozen()
    del y
    frozen()


@scenario
def freezing_leaves_automatic_collection_on():
    set_threshold(10, 100, 100)
    watch()
    x = chain("x", 8)
    gc.freeze()
    y = chain("y", 10)
    counts()
    z = plain("z")
    counts()
    unwatch()
    del x, y, z


@scenario
def objects_that_die_leave_their_generation():
    x = chain("x", 3)
    y = plain("y")
    generations()
    collect(0)
    x = x.a
    generations()
    x.a = y
    generations()
    del x
    generations()
    del y
    generations()


def look_at_generations(_):
    generations()


@scenario
def objects_in_a_finalizer_at_zero():
    x = final("x", look_at_generations)
    x.a = final("y", look_at_generations)
    del x


@scenario
def objects_in_a_finalizer_in_a_collection():
    """Garbage is in no generation."""
    x = ring("x", 2, final)
    x.on_death = look_at_generations
    y = plain("y")
    del x
    collect(0)
    del y


def generations_in_callback(phase, info):
    restock(phase, info)
    say(phase)
    generations()


@scenario
def objects_in_callbacks_of_the_collector():
    gc.callbacks.append(generations_in_callback)
    x = plain("x")
    collect(0)
    y = plain("y")
    ring("z", 2)
    collect(2)
    gc.callbacks.remove(generations_in_callback)
    del x, y
