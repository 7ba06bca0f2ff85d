"""Weak references: to know an object without keeping it alive.

A weak reference does not count. When the object is freed the reference gives None, and a function may be
called. Caches are made of them.
"""

import sys
import weakref


class Picture:
    def __init__(self, name):
        self.name = name


picture = Picture("sunset")
weak = weakref.ref(picture, lambda reference: print("   told: the picture is gone"))
print("the object through it:   ", weak().name)
print("references that count:   ", sys.getrefcount(picture) - 1)
print("weak references:         ", weakref.getweakrefcount(picture))
print("the last name goes")
del picture
print("the object through it:   ", weak())

# A cache that keeps what somebody else is using, and no more.
cache = weakref.WeakValueDictionary()


def load(name):
    picture = cache.get(name)
    if picture is None:
        print("   loading", name)
        picture = cache[name] = Picture(name)
    return picture


one = load("beach")
two = load("beach")             # not loaded again
print("one picture?             ", one is two)
print("in the cache:            ", list(cache))
del one, two
print("nobody uses it, in cache:", list(cache))

# Something to be done when an object ends.
picture = Picture("forest")
weakref.finalize(picture, print, "   told: forest can be cleaned up")
picture = None
