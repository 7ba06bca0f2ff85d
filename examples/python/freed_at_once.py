"""A count that falls to zero frees the object at once, and its memory is used again at once.

Nothing has to be waited for and nobody has to look for garbage: the statement that takes the last reference
away also frees the object.
"""


class Thing:
    __slots__ = "a", "b", "c", "d"

    def __init__(self, name):
        self.a = name

    def __del__(self):
        print("  ", self.a, "is freed")


print("one thing, two names")
thing = Thing("the first")
other = thing
print("the first name goes")
del thing
print("the second name goes")
del other
print("this line comes after it")

print("a function's objects end with the function")


def work():
    local = Thing("a local")
    print("   working")


work()
print("back from the function")

# The next object of that size gets the memory that has just become free.
thing = Thing("an old one")
place = id(thing)
thing = None
thing = Thing("a new one")
print("does it lie where the old one lay?", id(thing) == place)
thing = None
