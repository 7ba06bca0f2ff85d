"""Writes the library as one source and one header: amalgamate.py ROOT TAKEN OUTPUT SOURCE...

ROOT is the top folder of the project, TAKEN one with headers of other libraries that are put in, too, OUTPUT the folder that gets
heapwright.c and heapwright.h, and each SOURCE a .c file. Every `#include "..."`, and every `#include <...>` of a file in TAKEN, is replaced by
that file, once: headers stand before what uses them. Macros that a .c file defines end with it. Names that two .c files have both made
file-local clash, as the compiler will say.
"""
import os
import re
import sys

INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')
DEFINE = re.compile(r"\s*#\s*define\s+(\w+)")
GNU_SOURCE = "#ifndef _GNU_SOURCE\n#define _GNU_SOURCE\n#endif\n"


class Amalgamation:
    """Text in the making, and the files that are in it already."""

    def __init__(self, root, taken, done=()):
        self.root, self.taken, self.done, self.text = root, taken, set(done), []

    def find(self, bracket, name, beside):
        """The path of the file that takes an include's place; None for the system's."""
        if bracket == "<":
            path = os.path.join(self.taken, name)
            return os.path.realpath(path) if os.path.exists(path) else None
        for folder in (beside, os.path.join(self.root, "src"), os.path.join(self.root, "include")):
            path = os.path.realpath(os.path.join(folder, name))
            if os.path.exists(path):
                return path
        sys.exit(f"amalgamate.py: no file for #include \"{name}\" in {beside}")

    def add(self, path):
        """Puts in a file and, where it includes them, the files of ours that are not there yet."""
        path = os.path.realpath(path)
        self.done.add(path)
        self.banner(path)
        with open(path) as file:
            for line in file:
                include = INCLUDE.match(line)
                wanted = include and self.find(*include.groups(), os.path.dirname(path))
                if not wanted:
                    self.text.append(line)
                elif wanted not in self.done:
                    self.add(wanted)
                    self.banner(path, " goes on")

    def banner(self, path, more=""):
        of_ours = path.startswith(self.root + os.sep) and not path.startswith(self.taken + os.sep)
        name = os.path.relpath(path, self.root) if of_ours else os.path.basename(path)
        self.text.append(f"\n/* ---- {name}{more} ---- */\n")

    def end_macros(self, path):
        with open(path) as file:
            names = {match.group(1) for match in map(DEFINE.match, file) if match} - {"_GNU_SOURCE"}
        self.text += [f"#undef {name}\n" for name in sorted(names)]

    def write(self, path, head):
        with open(path, "w") as file:
            file.write(head + "".join(self.text))


def main(root, taken, output, *sources):
    root, taken = os.path.realpath(root), os.path.realpath(taken)
    with open(os.path.join(root, "LICENSE")) as file:
        licence = "".join(f" * {line}".rstrip() + "\n" for line in file)
    header = Amalgamation(root, taken)
    header.add(os.path.join(root, "include", "heapwright.h"))
    head = "/* heapwright in one {}, made from the files named below. What is not its own says so itself, with its own licence.\n *\n" + licence + " */\n"

    source = Amalgamation(root, taken, header.done)
    for path in sources:
        source.add(path)
        source.end_macros(path)

    os.makedirs(output, exist_ok=True)
    header.write(os.path.join(output, "heapwright.h"), head.format("header"))
    source.write(os.path.join(output, "heapwright.c"), head.format("source") + GNU_SOURCE + '#include "heapwright.h"\n')


if len(sys.argv) < 5:
    sys.exit(__doc__)
main(*sys.argv[1:])
