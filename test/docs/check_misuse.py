"""check_misuse.py PROGRAM GUIDE: the rows of a guide's table of misuses that quote a message, tried out. They come first.

PROGRAM N M does what row N says, in its Mth way. On a checked heap it must end with the message that the row quotes. On an ordinary heap it must end with the same
one where the table says so, and well where it says what happens; nothing is asked of the others, whose behaviour is undefined.
"""
import itertools
import os
import re
import signal
import subprocess
import sys


def rows(path):
    with open(path) as file:
        table = file.read().split("| misuse | checked heap | ordinary heap |\n")[1].split("\n\n")[0]
    for line in table.splitlines()[1:]:
        misuse, checked, ordinary = (cell.strip() for cell in line.strip("|").split("|"))
        if message := re.match(r"`([^`]+)`", checked):
            yield misuse, message[1], ordinary


def outcome(program, row, way, **added):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEAPWRIGHT_")}
    words = [program, str(row), str(way)]
    done = subprocess.run(words, env={**clean, **added}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr


def says(message, status, output):
    return status == -signal.SIGABRT and output.startswith(f"heapwright: {message}: 0x") and output.count("\n") == 1


def is_as_told(message, ordinary, mode, status, output):
    if mode or ordinary == "the same":
        return says(message, status, output)
    return status == 0 and output == ""


def main(program, document):
    failures = tried = 0
    for row, (misuse, message, ordinary) in enumerate(rows(document), 1):
        told = ordinary == "the same" or "harmless" in ordinary or "NULL" in ordinary
        for way in itertools.count(1):
            if outcome(program, row, way, HEAPWRIGHT_DEBUG="1")[0] == 2:
                break
            for mode in [{"HEAPWRIGHT_DEBUG": "1"}] + ([{}] if told else []):
                status, output = outcome(program, row, way, **mode)
                tried += 1
                if not is_as_told(message, ordinary, mode, status, output):
                    failures += 1
                    print(f"row {row}, {misuse}, way {way} {mode}: status {status}, not '{message}' but\n{output}")
        if way == 1:
            failures += 1
            print(f"row {row}, {misuse}: the program does not know it")
    past, _ = outcome(program, row + 1, 1)
    if past != 2:
        failures += 1
        print(f"the program knows of more misuses than the {row} rows of the table that quote a message")
    print(f"{tried} misuses tried, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
