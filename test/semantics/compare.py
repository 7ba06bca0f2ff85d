"""compare.py --python EXE --module FOLDER --ours PROGRAM [NAME...]: runs the scenarios (or those that are named) on CPython and on our
library, twice on ours: as it is, and checked. Prints a table and every difference in what they report. The exit status is 1 if there is
a difference, or a scenario that only one side has; 77 if this Python is not one that can be compared with.
"""
import argparse
import difflib
import os
import re
import subprocess
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
OURS = {"fast": {}, "checked": {"HEAPWRIGHT_DEBUG": "1"}}
SKIPPED = 77


def environment(**added):
    """Nothing in it that changes what is compared."""
    clean = {key: value for key, value in os.environ.items()
             if not key.startswith(("PYTHON", "HEAPWRIGHT_")) and key != "LD_PRELOAD"}
    return {**clean, **added}


def run(who, words, found, **added):
    """Runs the scenarios and notes what each of them reports: found[name] is a list of lines. Returns whether the run came to its end."""
    done = subprocess.run(words, env=environment(**added), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    last = None
    for line in done.stdout.splitlines():
        if line.startswith("== "):
            last = line[3:]
            if last in found:
                sys.exit(f"{who} has two scenarios called {last}")
            found[last] = []
        else:
            found[last].append(line)
    if done.returncode == 0 and not done.stderr:
        return True
    if last is None:
        sys.exit(f"{who} ended with status {done.returncode} before the first scenario\n{done.stderr}")
    found[last] += [f"{who} ended with status {done.returncode}", *done.stderr.splitlines()]
    return False


def run_all(who, words, names, expected, **added):
    """The same; if a scenario ends the run, those that are expected after it are run all the same."""
    found = {}
    while not run(who, [*words, *names], found, **added):
        names = [name for name in expected if name not in found]
        if not names:
            break
    return found


def groups():
    """The names of the scenarios by the file they stand in, in order."""
    for file in sorted(os.listdir(FOLDER)):
        if match := re.fullmatch(r"scenarios_(\w+)\.py", file):
            with open(os.path.join(FOLDER, file)) as text:
                yield match[1], re.findall(r"^@scenario\ndef (\w+)", text.read(), re.M)


def show_difference(name, cpython, mode, ours):
    print(f"\n{name}: CPython (-) and ours, {mode} (+)")
    for line in difflib.unified_diff(cpython, ours, n=3, lineterm=""):
        if not line.startswith(("---", "+++", "@@")):
            print("    " + line)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", required=True)
    parser.add_argument("--module", required=True)
    parser.add_argument("--ours", required=True)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()

    version = subprocess.run([options.python, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3], sys.implementation.name)"],
                             env=environment(), stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    if not re.fullmatch(r"3\.11\.\d+ cpython", version):
        print(f"skipped: {options.python} is {version}; what is compared here is CPython 3.11")
        return SKIPPED

    cpython = {}
    if not run("CPython", [options.python, os.path.join(FOLDER, "scenarios.py"), *options.names], cpython,
               PYTHONPATH=options.module, PYTHONDONTWRITEBYTECODE="1"):
        sys.exit("\n".join(list(cpython.values())[-1]))
    ours = {mode: run_all(mode, [options.ours], options.names, cpython, **added) for mode, added in OURS.items()}

    bad = {}
    for mode, found in ours.items():
        for name in sorted(cpython.keys() | found.keys()):
            if name not in cpython or name not in found:
                print(f"{name}: only on {'our side, ' + mode if name in found else 'the side of CPython'}")
                bad[name] = True
            elif found[name] != cpython[name]:
                show_difference(name, cpython[name], mode, found[name])
                bad[name] = True

    print(f"\n{'scenarios':15} {'number':>6} {'lines':>6} {'differ':>6}   (CPython {version.split()[0]})")
    for group, names in groups():
        here = [name for name in names if name in cpython]
        print(f"{group:15} {len(here):6} {sum(len(cpython[name]) for name in here):6} {sum(name in bad for name in here):6}")
    print(f"{'all':15} {len(cpython):6} {sum(map(len, cpython.values())):6} {len(bad):6}")
    if not cpython:
        print("no such scenario")
    return 1 if bad or not cpython else 0


if __name__ == "__main__":
    sys.exit(main())
