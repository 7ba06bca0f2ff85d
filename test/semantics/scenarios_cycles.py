"""Shapes of garbage: what a collection returns, and what it leaves."""
from scene import *


@scenario
def nothing_to_collect():
    collect(2)
    x = plain("x")
    collect(2)
    x.a = plain("y")
    x.b = x.a
    collect(2)
    counts()
    del x
    counts()
    collect(2)


@scenario
def self_cycle():
    x = plain("x")
    x.a = x
    references(x)
    del x
    counts()
    collect(2)
    collect(2)


@scenario
def self_cycle_in_every_field():
    x = plain("x")
    x.a = x
    x.b = x
    x.c = x
    references(x)
    del x
    collect(0)


@scenario
def cycle_of_two():
    x = plain("x")
    y = plain("y")
    x.a = y
    y.a = x
    references(x)
    del x, y
    generations()
    collect(2)
    generations()


@scenario
def ring_of_a_thousand():
    ring("r", 1000)
    ring("s", 1000)
    collect(2)


@scenario
def two_rings_apart():
    ring("x", 2)
    ring("y", 3)
    collect(2)


@scenario
def two_rings_joined():
    x = ring("x", 3)
    y = ring("y", 4)
    x.b = y
    del x, y
    collect(2)


@scenario
def two_rings_one_of_them_held():
    x = ring("x", 3)
    y = ring("y", 4)
    x.b = y
    del x
    collect(2)
    generations()
    del y
    collect(2)


@scenario
def two_rings_the_first_held():
    x = ring("x", 3)
    y = ring("y", 4)
    x.b = y
    del y
    collect(2)
    generations()
    x.b = None
    collect(2)
    generations()
    del x
    collect(2)


@scenario
def ring_held_from_outside():
    x = ring("x", 5)
    outside = plain("outside")
    outside.a = x.a.a
    del x
    collect(2)
    references(outside.a)
    del outside
    collect(2)


@scenario
def ring_held_by_a_handle():
    keep("x", ring("x", 5))
    collect(2)
    let_go("x")
    collect(2)


@scenario
def ring_that_holds_an_outside_object():
    outside = plain("outside")
    x = ring("x", 3)
    x.b = outside
    x.a.b = outside
    references(outside)
    del x
    collect(2)
    references(outside)
    del outside


@scenario
def chain_hanging_from_a_ring():
    x = ring("x", 3)
    x.b = chain("y", 10)
    x.a.b = x.b.a.a
    del x
    collect(2)


@scenario
def ring_at_the_end_of_a_chain():
    x = chain("x", 4)
    x.a.a.a.a = ring("y", 3)
    del x
    counts()
    generations()
    collect(2)


@scenario
def everybody_refers_to_everybody():
    x = items("x", 20)
    for i in range(20):
        x[i] = items(f"i{i}", 20)
    for i in range(20):
        for j in range(20):
            x[i][j] = x[j]
    references(x[7])
    del x
    collect(2)


@scenario
def tree_with_references_to_parents():
    root = plain("root")
    root.a = plain("a")
    root.b = plain("b")
    root.a.c = root
    root.b.c = root
    root.a.a = plain("aa")
    root.a.a.c = root.a
    root.b.b = plain("bb")
    root.b.b.c = root.b
    leafmost = root.a.a
    del root
    collect(2)
    generations()
    leafmost.c = None
    collect(2)
    generations()
    del leafmost


@scenario
def cycle_through_items():
    x = items("x", 3)
    x[0] = x
    x[1] = plain("y")
    x[1].a = x
    x[2] = leaf("leaf")
    del x
    collect(2)


@scenario
def items_within_items():
    x = items("x", 2)
    outermost = x
    for i in range(30):
        x[1] = items(f"i{i}", 2)
        x = x[1]
    x[0] = outermost
    del x
    collect(2)
    del outermost
    collect(2)


@scenario
def cycle_that_holds_acyclic_objects():
    x = ring("x", 2)
    x.b = final_leaf("one")
    x.c = leaf("two")
    x.a.b = x.b
    shared = final_leaf("shared")
    x.a.c = shared
    del x
    collect(2)
    say("collected")
    references(shared)
    del shared


@scenario
def deep_chain_dies_at_once():
    set_threshold(0, 0, 0)
    x = chain("x", 100000)
    counts()
    del x
    counts()


@scenario
def deep_chain_of_items_dies_at_once():
    set_threshold(0, 0, 0)
    x = None
    for _ in range(100000):
        y = items("y", 1)
        y[0] = x
        x = y
    del y
    counts()
    del x
    counts()


@scenario
def deep_chain_in_a_cycle():
    set_threshold(0, 0, 0)
    x = ring("x", 100000)
    x.b = chain("y", 100000)
    del x
    counts()
    collect(2)
    counts()


@scenario
def deep_chain_survives():
    set_threshold(0, 0, 0)
    x = chain("x", 100000)
    collect(2)
    counts()
    last = x
    while last.a is not None:
        last = last.a
    last.a = x
    references(last)
    del last
    collect(2)
    del x
    collect(2)


@scenario
def cycle_made_and_broken():
    x = plain("x")
    x.a = x
    x.a = None
    references(x)
    del x
    counts()
    collect(2)


@scenario
def cycle_broken_by_its_holder():
    x = ring("x", 3)
    x.a.a.a = None
    counts()
    del x
    counts()
    collect(2)


@scenario
def what_only_garbage_holds_is_unreachable_too():
    x = plain("x")
    x.a = x
    x.b = plain("y")
    x.b.b = items("z", 1)
    x.b.b[0] = plain("w")
    outside = plain("outside")
    x.b.a = outside
    del x
    collect(2)
    generations()
    references(outside)
    del outside
