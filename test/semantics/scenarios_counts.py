"""What is counted, what is tracked, in which generation it is, how many references there are."""
import gc

from scene import *


@scenario
def defaults():
    thresholds()
    enabled()
    counts()
    statistics()
    collect(0)
    collect(1)
    collect(2)


@scenario
def count_follows_allocation():
    counts()
    x = plain("x")
    counts()
    y = plain("y")
    z = plain("z")
    counts()
    del y
    counts()
    del x, z
    counts()


@scenario
def count_never_below_zero():
    x = plain("x")
    y = plain("y")
    collect(0)
    counts()
    del x
    counts()
    del y
    counts()
    z = plain("z")
    counts()
    del z


@scenario
def count_leaves_out_acyclic_objects():
    x = leaf("x")
    y = final_leaf("y")
    counts()
    tracked(x)
    tracked(y)
    del x
    counts()
    del y


@scenario
def count_of_objects_with_items():
    x = items("x", 0)
    counts()
    y = items("y", 100)
    counts()
    y[5] = x
    del x
    counts()
    del y
    counts()


@scenario
def count_includes_weak_references():
    x = plain("x")
    w = weak(x)
    counts()
    again = weak(x)
    counts()
    called = callback("called")
    v = weak(x, called)
    counts()
    del v
    counts()
    del w
    counts()
    del again
    counts()
    del x, called
    counts()


@scenario
def count_of_a_dead_weak_reference():
    x = plain("x")
    w = weak(x)
    del x
    counts()
    del w
    counts()


@scenario
def count_after_collecting_the_youngest():
    x = plain("x")
    for _ in range(3):
        collect(0)
        counts()
    y = plain("y")
    counts()
    del x, y
    counts()


@scenario
def count_after_collecting_each_generation():
    x = plain("x")
    collect(0)
    collect(0)
    counts()
    collect(1)
    counts()
    collect(0)
    collect(1)
    collect(0)
    counts()
    collect(2)
    counts()
    y = plain("y")
    collect(2)
    counts()
    del x, y


@scenario
def count_of_collected_garbage():
    """What dies in a collection is taken from a count that is zero already."""
    ring("g", 5)
    counts()
    collect(0)
    counts()
    x = plain("x")
    counts()
    ring("h", 5)
    counts()
    collect(2)
    counts()
    del x


@scenario
def count_when_a_chain_dies():
    x = chain("x", 10)
    counts()
    y = x.a.a.a.a
    del x
    counts()
    del y
    counts()


def count_now(_):
    counts()


@scenario
def count_seen_by_a_weak_callback():
    x = plain("x")
    called = callback("called", count_now)
    w = weak(x, called)
    counts()
    del x
    counts()
    del w, called


@scenario
def count_seen_in_a_collection():
    x = ring("x", 2, final)
    x.on_death = count_now
    del x
    plain("y")
    counts()
    collect(0)
    counts()


@scenario
def count_seen_in_a_collection_of_the_middle():
    x = ring("x", 2, final)
    x.on_death = count_now
    collect(0)
    y = plain("y")
    counts()
    del x
    collect(1)
    counts()
    del y


@scenario
def generation_of_a_survivor():
    x = plain("x")
    generations()
    collect(0)
    generations()
    y = plain("y")
    generations()
    collect(1)
    generations()
    z = plain("z")
    collect(0)
    generations()
    collect(0)
    generations()
    collect(1)
    generations()
    collect(2)
    generations()
    del x, y, z
    generations()


@scenario
def generations_are_merged():
    x = plain("x")
    collect(0)
    y = plain("y")
    collect(2)
    generations()
    z = plain("z")
    collect(0)
    w = plain("w")
    collect(2)
    generations()
    del w, x, y, z


@scenario
def old_garbage_waits_for_its_generation():
    x = ring("x", 3)
    collect(0)
    del x
    collect(0)
    generations()
    collect(1)
    generations()
    y = ring("y", 2)
    collect(0)
    collect(1)
    del y
    collect(0)
    collect(1)
    generations()
    collect(2)
    generations()


@scenario
def young_garbage_held_by_old_garbage():
    old = ring("old", 2)
    collect(0)
    old.b = ring("young", 2)
    del old
    collect(0)
    generations()
    collect(0)
    generations()
    collect(1)
    generations()


@scenario
def young_garbage_that_holds_an_old_object():
    old = plain("old")
    collect(0)
    collect(1)
    young = ring("young", 2)
    young.b = old
    references(old)
    del young
    collect(0)
    references(old)
    generations()
    del old


@scenario
def young_object_held_by_an_old_one():
    old = plain("old")
    collect(0)
    old.a = plain("young")
    generations()
    collect(0)
    generations()
    del old
    generations()


@scenario
def cycle_across_generations():
    x = plain("x")
    collect(0)
    collect(1)
    y = plain("y")
    collect(0)
    z = plain("z")
    x.a = y
    y.a = z
    z.a = x
    generations()
    del x, y, z
    collect(0)
    generations()
    collect(1)
    generations()
    collect(2)
    generations()


@scenario
def tracked_are_all_that_have_references():
    x = plain("x")
    tracked(x)
    y = items("y", 3)
    tracked(y)
    z = final("z")
    tracked(z)
    w = weak(x)
    tracked(w)
    del w
    y[0] = leaf("leaf")
    collect(2)
    tracked(y)
    del x, y, z


@scenario
def references_are_counted():
    x = plain("x")
    references(x)
    also = x
    references(x)
    y = plain("y")
    y.a = x
    y.b = x
    references(x)
    y.a = None
    references(x)
    y.b = plain("z")
    references(x)
    y.b = y
    references(y)
    y.b = None
    keep("x", x)
    references(x)
    let_go("x")
    references(x)
    del also
    references(x)
    del x, y


@scenario
def references_beyond_any_small_count():
    x = plain("x")
    many = items("many", 10000)
    for i in range(10000):
        many[i] = x
    references(x)
    collect(2)
    references(x)
    del many
    references(x)
    x.a = x
    many = items("many", 5000)
    for i in range(5000):
        many[i] = x
    many.a = x
    x.b = many
    del x, many
    counts()
    collect(2)


@scenario
def references_that_weak_ones_do_not_add():
    x = plain("x")
    w = weak(x)
    references(x)
    again = w()
    references(x)
    del again
    references(x)
    v = weak(x)
    references(w)
    same(w, v)
    del v, w, x


@scenario
def references_after_a_collection():
    x = plain("x")
    y = ring("y", 4)
    y.b = x
    y.a.a.b = x
    references(x)
    collect(0)
    references(x)
    references(y)
    del y
    collect(1)
    references(x)
    del x


@scenario
def thresholds_are_kept():
    set_threshold(5, 6, 7)
    thresholds()
    set_threshold(0, 0, 0)
    thresholds()
    gc.disable()
    enabled()
    gc.enable()
    enabled()
    thresholds()
