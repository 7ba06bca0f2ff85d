"""Finalizers in collections: their order, what they may do, what they bring back."""
from scene import *


@scenario
def finalizers_of_a_cycle():
    ring("x", 4, final)
    collect(2)
    collect(2)


@scenario
def finalizers_before_any_field_is_cleared():
    x = final("x", referents)
    x.a = final("y", referents)
    x.a.a = x
    del x
    collect(2)


@scenario
def finalizers_of_what_hangs_from_a_cycle():
    x = ring("x", 2)
    x.b = final("hanging")
    x.b.a = final("from that")
    x.c = final_leaf("acyclic")
    del x
    collect(2)


@scenario
def finalizers_of_old_and_young():
    """CPython's order is that of its lists, the oldest, the youngest, the middle one; none is promised."""
    x = ring("old", 2, final)
    collect(0)
    collect(1)
    y = ring("older", 2, final)
    collect(0)
    z = ring("young", 2, final)
    del x, y, z
    in_any_order()
    collect(2)
    in_order()


@scenario
def finalizers_of_items_in_a_cycle():
    x = final_items("x", 3)
    x[0] = final("i0")
    x[1] = x
    x[2] = final("i2")
    del x
    collect(2)


@scenario
def finalizers_once_in_two_cycles_of_an_object():
    x = ring("x", 2, final)
    x.on_death = keep_self
    del x
    collect(2)
    x = take("x0")
    finalized(x)
    finalized(x.a)
    let_go("x0")
    del x
    collect(2)


@scenario
def finalized_in_a_collection():
    x = final("x", finalized)
    x.a = plain("y")
    x.a.a = x
    del x
    collect(2)


def finalized_both(x):
    finalized(x)
    finalized(x.a)


@scenario
def finalized_one_after_the_other():
    x = ring("x", 2, final)
    x.on_death = finalized_both
    x.a.on_death = finalized_both
    del x
    collect(2)


@scenario
def resurrects_its_whole_cycle():
    x = ring("x", 3, final)
    x.on_death = keep_self
    x.b = final("hanging")
    del x
    collect(2)
    generations()
    x = take("x0")
    references(x)
    references(x.a)
    finalized(x.a)
    let_go("x0")
    collect(2)
    del x
    collect(2)
    generations()


@scenario
def resurrects_one_of_two_cycles():
    x = ring("x", 2, final)
    x.on_death = keep_self
    ring("y", 3, final)
    del x
    collect(2)
    generations()
    let_go("x0")
    collect(2)
    generations()


@scenario
def resurrects_part_of_the_garbage():
    """What the resurrected object reaches is kept; what only reached it is not."""
    x = ring("above", 2, final)
    x.b = final("middle", keep_self)
    x.b.a = ring("below", 2, final)
    del x
    collect(2)
    generations()
    let_go("middle")
    collect(2)


@scenario
def resurrects_from_the_youngest():
    x = ring("x", 2, final)
    x.on_death = keep_self
    del x
    collect(0)
    generations()
    counts()
    let_go("x0")
    collect(0)
    collect(1)


@scenario
def resurrects_from_the_middle():
    x = ring("x", 2, final)
    x.on_death = keep_self
    collect(0)
    del x
    collect(1)
    generations()
    let_go("x0")
    collect(1)
    collect(2)


def keep_other(node):
    keep("other", node.a)


@scenario
def resurrects_another():
    x = ring("x", 2, final)
    x.on_death = keep_other
    del x
    collect(2)
    generations()
    let_go("other")
    collect(2)


def let_go_of_kept(_):
    let_go("x0")


@scenario
def resurrected_and_dropped_again():
    """By a later finalizer of the same collection: it is garbage after all."""
    x = ring("x", 2, final)
    x.on_death = keep_self
    x.a.on_death = let_go_of_kept
    del x
    collect(2)
    collect(2)


def store_in_outside(node):
    take("outside").a = node


@scenario
def resurrected_by_a_field_of_a_living_object():
    outside = plain("outside")
    keep("outside", outside)
    x = final("x", store_in_outside)
    x.a = x
    del x
    collect(2)
    references(outside.a)
    outside.a.a = None
    outside.a = None
    say("dead")
    let_go("outside")
    del outside


@scenario
def resurrected_then_dies_at_zero():
    x = final("x", keep_self)
    x.a = x
    del x
    collect(2)
    x = take("x")
    let_go("x")
    x.a = None
    counts()
    del x
    counts()
    collect(2)


def break_own(node):
    node.a = None


@scenario
def breaks_its_cycle():
    """All die by their counts while the finalizers run."""
    x = ring("x", 3, final)
    x.on_death = break_own
    del x
    collect(2)
    statistics()


@scenario
def breaks_a_cycle_later_in_the_order():
    x = ring("x", 3, final)
    x.a.a.on_death = break_own
    del x
    collect(2)
    statistics()


@scenario
def breaks_one_of_two_cycles():
    x = ring("x", 2, final)
    x.on_death = break_own
    y = ring("y", 3, final)
    del x, y
    collect(2)
    statistics()


@scenario
def breaks_its_self_cycle():
    x = final("x", break_own)
    x.a = x
    del x
    collect(2)
    statistics()
    counts()


def break_next(node):
    node.a.a = None


@scenario
def breaks_the_field_of_the_next():
    x = ring("x", 4, final)
    x.on_death = break_next
    del x
    collect(2)
    statistics()


def clear_second(node):
    node.b = None


@scenario
def breaks_what_hangs_from_the_cycle():
    x = ring("x", 2, final)
    x.on_death = clear_second
    x.b = final("hanging")
    x.b.a = final("from that")
    del x
    collect(2)
    statistics()


def allocate_one(_):
    keep("late", plain("late"))


@scenario
def allocates():
    x = ring("x", 2, final)
    x.on_death = allocate_one
    del x
    collect(0)
    counts()
    generations()
    let_go("late")
    counts()


def allocate_garbage(_):
    ring("late", 3)


@scenario
def makes_new_cycles():
    x = ring("x", 2, final)
    x.on_death = allocate_garbage
    del x
    collect(1)
    counts()
    generations()
    collect(0)


def allocate_many(_):
    keep("many", chain("m", 2000))


@scenario
def allocates_more_than_the_threshold():
    watch()
    x = ring("x", 2, final)
    x.on_death = allocate_many
    del x
    collect(0)
    counts()
    x = plain("the next")
    counts()
    unwatch()
    let_go("many")
    del x


def collect_each(_):
    collect(0)
    collect(2)


@scenario
def collects():
    x = ring("x", 2, final)
    x.on_death = collect_each
    ring("y", 2)
    del x
    collect(2)
    statistics()


def refer_to_new_cycle(node):
    y = ring("new", 2)
    y.b = node
    del y


@scenario
def made_part_of_a_new_cycle():
    """A new object holds the dying one, and is garbage itself: that is resurrection, until the next collection."""
    x = final("x", refer_to_new_cycle)
    x.a = x
    del x
    collect(2)
    generations()
    collect(2)
    generations()


def add_to_cycle(node):
    node.b = plain("added")


@scenario
def adds_an_object_to_the_garbage():
    x = ring("x", 2, final)
    x.on_death = add_to_cycle
    del x
    collect(2)
    generations()
    statistics()
    counts()


def add_holder(node):
    node.b = plain("added")
    node.b.a = node


@scenario
def adds_a_new_holder_to_the_garbage():
    x = ring("x", 2, final)
    x.on_death = add_holder
    del x
    collect(2)
    generations()
    collect(2)


def hold_outside(node):
    node.b = take("outside")


@scenario
def stores_an_outside_object_into_the_garbage():
    outside = final("outside")
    keep("outside", outside)
    x = ring("x", 2, final)
    x.on_death = hold_outside
    del x
    collect(2)
    references(outside)
    del outside
    let_go("outside")
    say("end")


@scenario
def two_resurrected_one_dropped():
    x = ring("x", 2, final)
    x.on_death = keep_self
    y = ring("y", 2, final)
    y.on_death = keep_self
    x.b = y
    del x, y
    collect(2)
    let_go("y0")
    collect(2)
    let_go("x0")
    collect(2)
    statistics()


def swap(node):
    keep("swapped", node.b)
    node.b = None


@scenario
def moves_a_cycle_out_of_the_garbage():
    x = ring("x", 2, final)
    x.b = ring("y", 2, final)
    x.on_death = swap
    del x
    collect(2)
    generations()
    let_go("swapped")
    collect(2)


@scenario
def resurrection_moves_to_the_older_generation():
    x = ring("x", 2, final)
    x.on_death = keep_self
    y = plain("y")
    del x
    collect(0)
    generations()
    collect(1)
    generations()
    let_go("x0")
    collect(1)
    collect(2)
    del y


def count_references(node):
    y = node.a
    references(y)
    keep("y", y)
    references(y)
    let_go("y")
    references(y)
    node.b = y
    references(y)


@scenario
def references_change_as_usual_in_a_finalizer():
    x = final("x", count_references)
    x.a = plain("y")
    x.a.a = x
    del x
    collect(2)


@scenario
def many_cycles_some_resurrected():
    for i in range(50):
        x = ring(f"r{i}.", 2, final)
        if i % 10 == 3:
            x.on_death = keep_self
        del x
    collect(2)
    generations()
    for i in range(3, 50, 10):
        let_go(f"r{i}.0")
    collect(2)
    statistics()


@scenario
def acyclic_garbage_with_a_weak_callback():
    called = callback("called")
    x = ring("x", 2, final)
    one = leaf("leaf")
    x.b = one
    w = weak(one, called)
    del one, x
    collect(2)
    leads_to(w)
    del w, called


def look_round(_):
    counts()
    generations()
    collect(2)


@scenario
def acyclic_garbage_that_looks_round():
    x = plain("x")
    x.a = x
    x.b = final_leaf("leaf", look_round)
    y = plain("y")
    del x
    collect(1)
    counts()
    del y


def keep_leaf(x):
    keep("leaf", x)


@scenario
def acyclic_garbage_resurrected():
    x = ring("x", 2)
    x.b = final_leaf("leaf", keep_leaf)
    del x
    collect(2)
    references(take("leaf"))
    let_go("leaf")
    say("end")


@scenario
def breaks_its_cycle_and_weak_references_to_it():
    called = callback("called")
    x = ring("x", 2, final)
    x.on_death = break_own
    x.a.b = final_leaf("leaf")
    w = weak(x, called)
    del x
    collect(2)
    counts()
    del w, called


@scenario
def breaks_its_cycle_and_allocates():
    x = ring("x", 3, final)
    x.on_death = break_own
    x.a.on_death = allocate_one
    del x
    collect(0)
    counts()
    generations()
    let_go("late")


def say_statistics(_):
    statistics()


@scenario
def statistics_in_a_finalizer():
    x = final("x", say_statistics)
    x.a = x
    statistics()
    del x
    collect(1)
    statistics()


@scenario
def tracked_in_a_finalizer():
    x = final("x", tracked)
    del x
    x = final("y", tracked)
    x.a = x
    del x
    collect(2)


def release_outside(_):
    let_go("outside")
    say("let go")


@scenario
def kills_an_outside_object_that_watches_the_garbage():
    """Its weak reference was cleared, and its callback called, before."""
    x = final("x", release_outside)
    x.a = x
    outside = final("outside")
    outside.a = weak(x, callback("called"))
    outside.b = ring("r", 2)
    keep("outside", outside)
    del outside, x
    collect(2)
    collect(2)
