"""map and filter make no lists.

They return iterators, which compute each result when it is asked for and keep none of them.
"""

import sys

seen = []


def double(n):
    seen.append(n)
    return 2 * n


doubled = map(double, range(1_000_000))
even = filter(lambda n: n % 3 == 0, doubled)
print("a million numbers are promised, computed so far:", len(seen))

print("the first three:", next(even), next(even), next(even))
print("computed for these:", seen)

in_a_list = [2 * n for n in range(1_000_000)]
print("the list takes megabytes:      ", sys.getsizeof(in_a_list) > 8_000_000)
print("the iterators, under 200 bytes:", sys.getsizeof(doubled) + sys.getsizeof(even) < 200)

# What has been taken from an iterator is gone: it can be walked once.
few = map(str, range(3))
print("first walk: ", list(few))
print("second walk:", list(few))
