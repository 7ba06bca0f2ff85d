"""Reference counts: how often an object is referred to.

Python keeps with each object the number of references to it. A name, an item of a list, a value in a dict
each count as one. sys.getrefcount() shows one more than you might expect: its own argument is a reference,
too.
"""

import sys


class Thing:
    pass


def show(what):
    print(f"{what:34} {sys.getrefcount(thing) - 1}")


thing = Thing()
show("one name")

other = thing
show("a second name")

shelf = [thing, thing, thing]
show("three items of a list")

box = {"key": thing}
show("a value in a dict")


def borrow(argument):
    show("an argument, during a call")


borrow(thing)
show("after the call")

del shelf[0]
show("one item deleted")

shelf = None
show("the list gone")

box.clear()
other = None
show("the dict empty, the name reused")
