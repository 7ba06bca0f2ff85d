"""Small integers are shared.

The integers from -5 to 256 exist once, from the start to the end of the program, because programs use them so
often. Every other integer is an object of its own each time it is computed.
"""


def same_object(text):
    return int(text) is int(text)


for text in "-6", "-5", "0", "256", "257", "1000000":
    print(f"{text:>8} computed twice: {'one object' if same_object(text) else 'two objects'}")

# So a list of a thousand small integers needs a thousand references and no new object at all. With large ones it is
# different.
small = [int("7") for i in range(1000)]
large = [int("7000") for i in range(1000)]
print("different objects among 1000 times 7:   ", len(set(map(id, small))))
print("different objects among 1000 times 7000:", len(set(map(id, large))))
