"""trees: many short-lived binary trees beside one that stays."""

from timing import scaled, timed


class Tree:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left, self.right = left, right


def build(depth):
    return Tree(build(depth - 1), build(depth - 1)) if depth else Tree(None, None)


def count(tree):
    return 1 + count(tree.left) + count(tree.right) if tree.left else 1


def trees():
    kept = build(16)
    for depth in range(4, 17, 2):
        for _ in range(scaled(2 ** (17 - depth))):
            assert count(build(depth)) == 2 ** (depth + 1) - 1
    assert count(kept) == 2**17 - 1


if __name__ == "__main__":
    timed("trees", trees)
