"""Interned strings: equal strings that are one object.

Names in a program's text are interned by Python itself. Strings that are computed are not, unless
sys.intern() is asked to; it returns the one object that stands for all equal strings.
"""

import sys


def compute(word):
    return "".join(list(word))


a, b = compute("heapwright"), compute("heapwright")
print("equal?             ", a == b)
print("one object?        ", a is b)

a, b = sys.intern(a), sys.intern(b)
print("interned, one object?", a is b)

# This saves memory where few different words occur very often, as the keys of many records do.
words = "red green blue".split()
plain = [compute(words[i % 3]) for i in range(30_000)]
interned = [sys.intern(compute(words[i % 3])) for i in range(30_000)]
print("objects in the plain list:   ", len(set(map(id, plain))))
print("objects in the interned list:", len(set(map(id, interned))))
