"""Death at a count of zero: what dies in which order, finalizers and weak references apart from any cycle."""
from scene import *


@scenario
def parent_is_finalized_before_its_children():
    x = chain("x", 5, final)
    del x


@scenario
def fields_are_given_up_in_order():
    x = final("x")
    x.c = final("c")
    x.a = final("a")
    x.b = final("b")
    del x


@scenario
def items_are_given_up_from_the_end():
    x = final_items("x", 4)
    for i in range(4):
        x[i] = final(f"i{i}")
    del x


@scenario
def fields_are_given_up_before_items():
    x = final_items("x", 2)
    x[0] = final("i0")
    x[1] = final("i1")
    x.a = final("a")
    del x


@scenario
def death_goes_depth_first():
    x = final("x")
    x.a = final("a")
    x.a.a = final("aa")
    x.a.b = final("ab")
    x.b = final("b")
    x.b.a = final("ba")
    x.c = final("c")
    del x


@scenario
def death_goes_depth_first_through_items():
    x = final_items("x", 3)
    for i in range(3):
        x[i] = final_items(f"i{i}", 2)
        x[i][0] = final(f"i{i}.0")
        x[i][1] = final(f"i{i}.1")
        x[i].a = final(f"i{i}.a")
    del x


@scenario
def shared_object_dies_with_its_last_holder():
    x = final("x")
    x.a = final("left")
    x.b = final("right")
    x.a.a = final("shared")
    x.b.a = x.a.a
    x.b.b = final("after")
    del x


@scenario
def store_gives_up_the_old_value_at_once():
    x = plain("x")
    x.a = final("old")
    x.a = final("new")
    say("stored")
    x.a = None
    say("cleared")
    del x


@scenario
def store_of_the_same_value():
    x = plain("x")
    x.a = final("y")
    x.a = x.a
    references(x.a)
    say("stored")
    del x


@scenario
def deep_death_in_order():
    """Deeper than any of the limits on nested calls. A branch near the top would die earlier in CPython, which puts off what is
    nested deeper than 50: the one known difference in the order of deaths."""
    x = chain("x", 120, final)
    del x


def make_and_drop(node):
    depth = int(node.name[1:])
    if depth < 200:
        y = final(f"n{depth + 1}", make_and_drop)
        del y
    say(f"done {node.name}")


@scenario
def finalizers_within_finalizers():
    x = final("n190", make_and_drop)
    del x


def let_go_of_other(_):
    let_go("other")
    say("let go")


@scenario
def finalizer_that_kills_another():
    keep("other", final("other"))
    x = final("x", let_go_of_other)
    x.a = final("a")
    del x


@scenario
def acyclic_objects_die_in_order():
    x = final("x")
    x.a = final_leaf("a")
    x.b = final("b")
    x.b.a = final_leaf("ba")
    x.c = final_leaf("c")
    del x


def empty(node):
    say("emptying")
    node.a = None
    say("emptied")


@scenario
def finalizer_that_empties_its_object():
    x = final("x", empty)
    x.a = final("a")
    x.b = final("b")
    del x


def fill(node):
    node.a = final("late")
    node.b = None


@scenario
def finalizer_that_fills_its_object():
    x = final("x", fill)
    x.a = final("early")
    x.b = final("b")
    del x
    counts()


def refer_to_self(node):
    node.a = node


@scenario
def finalizer_that_makes_a_cycle_of_its_object():
    x = final("x", refer_to_self)
    del x
    say("a cycle now")
    counts()
    collect(2)
    counts()


def collect_now(_):
    collect(2)


@scenario
def finalizer_that_collects():
    ring("r", 3)
    x = final("x", collect_now)
    x.a = final("a")
    del x
    counts()


@scenario
def finalizer_that_collects_in_a_chain():
    """What waits to die is no garbage for a collection that happens meanwhile."""
    x = final("x")
    x.a = final("a", collect_now)
    x.a.a = final("aa")
    x.b = final("b")
    x.b.a = ring("r", 2)
    del x
    collect(2)


def look(node):
    finalized(node)


@scenario
def finalized_is_said_of_the_dead_and_the_living():
    x = final("x")
    finalized(x)
    y = plain("y")
    finalized(y)
    z = leaf("z")
    finalized(z)
    del x, y, z


@scenario
def finalized_in_a_finalizer_at_zero():
    x = final("x", look)
    del x


@scenario
def resurrected_at_zero():
    x = final("x", keep_self)
    x.a = final("a")
    counts()
    del x
    say("resurrected")
    counts()
    x = take("x")
    references(x)
    finalized(x)
    finalized(x.a)
    tracked(x)
    del x
    let_go("x")
    say("dead")
    counts()


@scenario
def resurrected_at_zero_twice_never():
    x = final("x", keep_self)
    del x
    x = take("x")
    let_go("x")
    x.on_death = keep_self
    x.a = final("a", keep_self)
    del x
    say("x is dead, a is not")
    references(take("a"))
    let_go("a")


@scenario
def resurrected_at_zero_then_in_a_cycle():
    x = final("x", keep_self)
    del x
    x = take("x")
    let_go("x")
    x.a = x
    del x
    collect(2)


@scenario
def resurrected_at_zero_keeps_its_generation():
    x = final("x", keep_self)
    collect(0)
    generations()
    del x
    generations()
    let_go("x")
    generations()


@scenario
def resurrected_child_of_the_dead():
    x = final("x", keep_self)
    x.a = final("a", keep_self)
    del x
    let_go("x")
    say("x is gone")
    let_go("a")


def join_list(node):
    node.a = take("list")
    keep("list", node)


@scenario
def resurrected_many_times_into_a_list():
    keep("list", None)
    for i in range(5):
        x = final(f"x{i}", join_list)
        del x
    collect(2)
    references(take("list"))
    say("let go")
    keep("list", None)
    counts()


def resurrect_leaf(x):
    keep("leaf", x)


@scenario
def resurrected_acyclic_object():
    x = final_leaf("x", resurrect_leaf)
    del x
    say("resurrected")
    x = take("leaf")
    references(x)
    del x
    keep("leaf", None)
    say("end")


@scenario
def finalizer_that_collects_what_its_object_holds():
    x = final("x", collect_now)
    x.a = ring("r", 2)
    del x
    say("dead")
    collect(2)


@scenario
def item_that_collects_while_its_list_dies():
    """The items before it are still held."""
    x = items("x", 3)
    x[0] = ring("r", 2)
    x[1] = final("one", collect_now)
    x[2] = ring("s", 3)
    del x
    say("dead")
    collect(2)


@scenario
def item_of_many_that_collects_while_its_list_dies():
    x = items("x", 300)
    for i in range(300):
        x[i] = ring(f"r{i}.", 2)
    x[150] = final("middle", collect_now)
    del x
    say("dead")
    collect(2)


def who_refers_to_kept(_):
    referrers(take("y"))


@scenario
def dying_object_is_no_referrer():
    y = plain("y")
    keep("y", y)
    x = plain("x")
    x.a = final("a", who_refers_to_kept)
    x.b = y
    referrers(y)
    del x
    let_go("y")
    del y


@scenario
def finalizer_looks_at_referrers_of_its_field():
    y = plain("y")
    keep("y", y)
    x = final("x", who_refers_to_kept)
    x.b = y
    del x
    let_go("y")
    del y
