#!/usr/bin/env python3
"""test_python_in_c.py PROGRAM EXAMPLE.py: an example in C prints what the same prints in Python 3.11, but for the lines that are known to differ."""

import os
import subprocess
import sys

# Lines of the output, from 1, that differ: what the C file says about it.
DIFFER = {
    "names_and_objects": {6},       # an address
    "reference_counts": {5},        # a borrowed argument does not count
    "cycles": {5},                  # a list has a storage
    "sizes": {1, 4, 5, 6, 7},       # lists hold numbers, not objects
    "weak_references": {9, 10},     # the number of entries, not their names
    "word_index": {2},              # JSON without spaces
}


def main(program, example):
    name = os.path.splitext(os.path.basename(example))[0]
    outputs = [subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout.splitlines()
               for command in ([program], [sys.executable, example])]
    ours, python = outputs
    differ = {i for i, (one, other) in enumerate(zip(ours, python), 1) if one != other}
    for i in sorted(differ ^ DIFFER.get(name, set())):
        print(f"line {i}, which was to {'be the same' if i in differ else 'differ'}:\n    C:      {ours[i - 1]}\n    Python: {python[i - 1]}")
    if len(ours) != len(python):
        print(f"{len(ours)} lines; Python prints {len(python)}")
    return differ != DIFFER.get(name, set()) or len(ours) != len(python)


if __name__ == "__main__":
    if sys.version_info[:2] != (3, 11):
        print("skipped: this is Python %d.%d; the examples are those of 3.11" % sys.version_info[:2])
        sys.exit(77)
    sys.exit(main(*sys.argv[1:]))
