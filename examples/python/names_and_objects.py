"""Two names, one object.

A Python name does not hold a value, it refers to an object. An assignment never copies: it makes one more
name for the same object.
"""

first = [1, 2, 3]
second = first                  # another name, not another list
print("one object?       ", first is second)
print("the same identity?", id(first) == id(second))

second.append(4)                # so a change through one name is seen through the other
print("seen through both:", first)

third = list(first)             # this makes a second list
print("equal?            ", third == first)
print("one object?       ", third is first)

# id() is where the object lies in memory. While it lives, no other object can have the same.
print("the address of a list:", hex(id(first)))
