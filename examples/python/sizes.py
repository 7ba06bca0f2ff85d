"""What objects cost.

sys.getsizeof() is the size of one object alone, without what it refers to.
"""

import array
import sys

count = 10_000

# A list of squares has them all at once; a generator has one at a time and remembers where it is.
squares = [i * i for i in range(count)]
lazily = (i * i for i in range(count))
print("list of", count, "numbers: ", sys.getsizeof(squares), "bytes, and each number for itself")
print("generator of the same:   less than 300 bytes?", sys.getsizeof(lazily) < 300)
print("they yield the same:    ", sum(squares) == sum(lazily))

# A list holds references, 8 bytes each, to objects of 24 bytes or more. An array holds the numbers themselves.
numbers = [i + 0.5 for i in range(count)]
packed = array.array("d", numbers)
in_list = sys.getsizeof(numbers) + sum(map(sys.getsizeof, numbers))
print("list of floats, with the floats: ", in_list, "bytes")
print("array of the same floats:        ", sys.getsizeof(packed), "bytes")
print("an array takes less than a third:", sys.getsizeof(packed) * 3 < in_list)

# Growing lists get more room than they need now, so that appending rarely moves them.
grown, sizes = [], []
for i in range(50):
    grown.append(i)
    if not sizes or sys.getsizeof(grown) != sizes[-1]:
        sizes.append(sys.getsizeof(grown))
print("sizes of a list while 50 items are appended:", *sizes)
