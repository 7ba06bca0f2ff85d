"""Tables with weak keys and with weak values."""
from weakref import WeakKeyDictionary, WeakValueDictionary

from scene import *


def length(table):
    say(f"entries: {len(table)}")


def look_up(table, key):
    value = table.get(key)
    say("no entry" if value is None else f"entry: {name_of(value)}")


def take_out(table, key):
    say("no entry" if table.pop(key, None) is None else "removed")


@scenario
def weak_keys():
    table = WeakKeyDictionary()
    x = plain("x")
    y = plain("y")
    length(table)
    look_up(table, x)
    table[x] = plain("value of x")
    table[y] = final("value of y")
    length(table)
    look_up(table, x)
    look_up(table, y)
    table[x] = plain("second value of x")
    look_up(table, x)
    length(table)
    take_out(table, y)
    take_out(table, y)
    length(table)
    weak_count(x)
    weak_count(y)
    del table, x, y


@scenario
def weak_keys_entry_goes_with_its_key():
    table = WeakKeyDictionary()
    x = final("x")
    y = plain("y")
    table[x] = final("value of x")
    table[y] = final("value of y")
    references(x)
    del x
    say("x is dead")
    length(table)
    look_up(table, y)
    del y
    length(table)
    del table


@scenario
def weak_keys_own_their_values():
    table = WeakKeyDictionary()
    x = plain("x")
    value = final("value")
    table[x] = value
    references(value)
    del value
    collect(2)
    look_up(table, x)
    del table
    say("the table is gone")
    weak_count(x)
    del x


@scenario
def weak_keys_of_collected_cycles():
    table = WeakKeyDictionary()
    x = ring("x", 3, final)
    table[x] = final("value of x0")
    table[x.a] = final("value of x1")
    length(table)
    del x
    collect(2)
    length(table)
    del table


@scenario
def weak_keys_value_that_leads_to_its_key():
    table = WeakKeyDictionary()
    x = plain("x")
    table[x] = final("value")
    value = table[x]
    value.a = x
    w = weak(x)
    del value, x
    collect(2)
    leads_to(w)
    length(table)
    del table
    leads_to(w)
    say("end")
    del w


@scenario
def weak_keys_chain_of_entries():
    """The value of each key is the next key."""
    table = WeakKeyDictionary()
    first = final("k0")
    x = first
    for i in range(1, 6):
        y = final(f"k{i}")
        table[x] = y
        x = y
    del x, y
    length(table)
    collect(2)
    length(table)
    del first
    length(table)
    del table


def quiet_collect():
    """How many objects make up a table is nobody's business."""
    gc.collect()
    quiet.stock()


@scenario
def weak_keys_table_in_a_cycle():
    table = WeakKeyDictionary()
    key = plain("key")
    value = final("value")
    table[key] = value
    value.a = items("holder", 1)
    value.a[0] = table
    w = weak(value)
    del value, table
    leads_to(w)
    quiet_collect()
    leads_to(w)
    weak_count(key)
    del key, w


@scenario
def weak_keys_of_resurrected_objects():
    table = WeakKeyDictionary()
    x = final("x", keep_self)
    table[x] = plain("value")
    del x
    length(table)
    x = take("x")
    look_up(table, x)
    let_go("x")
    del x
    length(table)
    x = final("y", keep_self)
    x.a = x
    table[x] = plain("value")
    del x
    collect(2)
    length(table)
    x = take("y")
    look_up(table, x)
    x.a = None
    let_go("y")
    del x, table


@scenario
def weak_keys_and_a_callback():
    """The table's own weak reference takes its turn among the callbacks: newest first."""
    table = WeakKeyDictionary()
    x = plain("x")
    one = callback("before the table")
    two = callback("after the table")
    u = weak(x, one)
    table[x] = final("value")
    v = weak(x, two)
    weak_count(x)
    del x
    length(table)
    del u, v, one, two, table


@scenario
def weak_keys_many():
    table = WeakKeyDictionary()
    keys = items("keys", 500)
    for i in range(500):
        keys[i] = plain(f"k{i}")
        table[keys[i]] = plain(f"v{i}")
    length(table)
    for i in range(0, 500, 2):
        keys[i] = None
    length(table)
    look_up(table, keys[123])
    look_up(table, keys[499])
    keys[1].a = keys[1]
    keys[1] = None
    length(table)
    collect(2)
    length(table)
    del keys
    length(table)
    del table


@scenario
def weak_values():
    table = WeakValueDictionary()
    x = plain("x")
    y = plain("y")
    look_up(table, "one")
    table["one"] = x
    table["two"] = y
    length(table)
    look_up(table, "one")
    look_up(table, "three")
    references(x)
    weak_count(x)
    table["one"] = y
    look_up(table, "one")
    weak_count(x)
    weak_count(y)
    length(table)
    take_out(table, "one")
    take_out(table, "one")
    length(table)
    del table, x, y


@scenario
def weak_values_entry_goes_with_its_value():
    table = WeakValueDictionary()
    x = final("x")
    table["one"] = x
    table["two"] = x
    table["three"] = plain("nobody's")
    length(table)
    look_up(table, "three")
    del x
    length(table)
    look_up(table, "one")
    del table


@scenario
def weak_values_of_collected_cycles():
    table = WeakValueDictionary()
    x = ring("x", 3)
    table["zero"] = x
    table["one"] = x.a
    del x
    length(table)
    collect(2)
    length(table)
    look_up(table, "zero")
    del table


@scenario
def weak_values_give_owned_references():
    table = WeakValueDictionary()
    x = final("x")
    table["x"] = x
    y = table["x"]
    references(x)
    del x
    look_up(table, "x")
    del y
    look_up(table, "x")
    del table


@scenario
def weak_values_replaced_before_the_first_dies():
    table = WeakValueDictionary()
    x = plain("x")
    y = plain("y")
    table["k"] = x
    table["k"] = y
    del x
    look_up(table, "k")
    del y
    look_up(table, "k")
    del table


@scenario
def weak_values_die_before_their_table():
    table = WeakValueDictionary()
    x = plain("x")
    table["k"] = x
    del table
    weak_count(x)
    del x


def look_in_kept(node):
    look_up(take("table"), "x")
    length(take("table"))


@scenario
def weak_values_seen_by_a_finalizer():
    table = WeakValueDictionary()
    keep("table", table)
    x = final("x", look_in_kept)
    table["x"] = x
    del x
    length(table)
    x = final("x", look_in_kept)
    x.a = x
    table["x"] = x
    del x
    collect(2)
    let_go("table")
    del table
