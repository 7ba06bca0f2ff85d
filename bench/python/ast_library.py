"""ast: the first 90 files of the standard library, parsed, walked and compiled."""

import ast
import glob
import os

from timing import scaled, timed


def compile_library(count):
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py")))[:count]:
        with open(path, "rb") as file:
            tree = ast.parse(file.read(), path)
        for _ in ast.walk(tree):
            pass
        compile(tree, path, "exec")


timed("ast", compile_library, scaled(90))
