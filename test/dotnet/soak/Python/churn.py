# For IronPython: objects of all shapes that are kept for a while and dropped, by several threads; each round checks what it kept. Prints one line, which depends on nothing but the rounds.
import sys
import threading

ROUNDS = int(sys.argv[1])
THREADS = 3


class Node(object):
    def __init__(self, number, left, right):
        self.number, self.left, self.right = number, left, right


class Finalized(object):
    count = 0

    def __init__(self):
        self.me = self

    def __del__(self):
        Finalized.count += 1


def tree(depth):
    return Node(depth, tree(depth - 1), tree(depth - 1)) if depth else Node(0, None, None)


def total(node):
    return node.number + (total(node.left) + total(node.right) if node.left else 0)


def numbers(limit):
    for number in range(limit):
        if number % 3 == 0:
            continue
        yield number * number


def one_round(stamp, kept):
    words = {}
    for number in numbers(3000):
        words.setdefault("w%d" % (number % 97), []).append((number, str(number)))
    kept[stamp % 7] = words
    squares = sorted(value for pairs in words.values() for value, text in pairs if text.endswith("4"))
    for _ in range(50):
        Finalized()
    try:
        {}[stamp]
    except KeyError as problem:
        missing = problem.args[0]
    assert missing == stamp
    assert all(text == str(value) for old in kept.values() for pairs in old.values() for value, text in pairs)
    return sum(squares) + total(tree(10)) + len("".join(sorted(words)))


def work(results, index):
    kept = {}
    results[index] = sum(one_round(stamp, kept) for stamp in range(ROUNDS))


results = [0] * THREADS
threads = [threading.Thread(target=work, args=(results, index)) for index in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(set(results)) == 1
assert ROUNDS < 100 or Finalized.count > 0
print("%d rounds: %d" % (ROUNDS, results[0]))
