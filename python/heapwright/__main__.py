"""python -m heapwright: runs a program on heapwright by this interpreter."""
from __future__ import annotations

import io
import os
import sys
from subprocess import _args_from_interpreter_flags  # type: ignore[attr-defined]  # as multiprocessing uses it

from ._native import TOOL

HELP = """\
Usage: python -m heapwright [OPTIONS] SCRIPT [ARGUMENTS...]
       python -m heapwright [OPTIONS] -m MODULE [ARGUMENTS...]
       python -m heapwright [OPTIONS] -c CODE [ARGUMENTS...]
       python -m heapwright doctor [--json]
       python -m heapwright --version | --help

Runs a Python program by this interpreter, with heapwright as its memory allocator and its cycle
collector. Exit status, signals and output are the program's own; interpreters that it starts run
on heapwright, too. Options of this interpreter (python -X dev -m heapwright ...) hold for the program.

  --stats[=FILE]   say at the end what the program's memory did, on standard error or in FILE
  --json           say it in JSON (implies --stats)
  --strict         do not run a program that cannot run on heapwright: end with status 2
  --gc=auto        collect cyclic garbage with heapwright's collector: that of large heaps beside
                   the program, if a processor and memory are to spare (the default)
  --gc=beside      beside the program whenever that is possible
  --gc=inplace     never beside the program
  --gc=stock       leave that to Python's own collector
  doctor           say which interpreters of this machine can run on heapwright

Environment
  HEAPWRIGHT_GC=...       as --gc
  HEAPWRIGHT_INSTALL=1    every Python that has this package goes on heapwright as it starts,
                          without this command

In a program, import heapwright; help(heapwright).
"""

_OPTIONS = ("--stats", "--json", "--strict", "--gc")


def _misuse(words: str) -> int:
    print("heapwright: " + words + "; try 'python -m heapwright --help'", file=sys.stderr)
    return 2


def _execute(*words: str) -> int:
    """Becomes the tool. Returns only if that cannot be."""
    try:
        sys.stdout.flush()
        os.execv(TOOL, ["heapwright", *words])
    except OSError as error:
        print(f"heapwright: cannot run {TOOL}: {error.strerror}", file=sys.stderr)
    return 126


def _interpreter_options() -> list[str]:
    """Those of this interpreter, as multiprocessing passes them on, and -u, which that leaves out: then output has no buffer."""
    unbuffered = isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase)
    return [*_args_from_interpreter_flags(), *(["-u"] if unbuffered else [])]


def main(words: list[str]) -> int:
    at = 0
    while at < len(words) and words[at].startswith("--"):
        if words[at] == "--help":
            print(HELP, end="")
            return 0
        if words[at] == "--version":
            return _execute("--version")
        if words[at].split("=")[0] not in _OPTIONS:
            return _misuse(f"there is no option '{words[at]}'")
        at += 2 if words[at] == "--gc" else 1
    program = words[at:]
    if program[:1] == ["-h"]:
        print(HELP, end="")
        return 0
    if not program:
        return _misuse("which program?")
    if program[0] == "doctor":
        return _execute(*program)
    return _execute("run", *words[:at], "--", sys.executable, *_interpreter_options(), *program)


def command() -> int:
    """The command `heapwright` of an environment: the tool, by whose `run` this interpreter is meant if none is named."""
    words = sys.argv[1:]
    return _execute(*(["run", "--python", sys.executable, *words[1:]] if words[:1] == ["run"] else words))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
