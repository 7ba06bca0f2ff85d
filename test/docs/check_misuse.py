"""check_misuse.py PROGRAM COUNTING.md: the first rows of the guide's table of misuses, tried out.

PROGRAM N does what row N says. On a checked heap it must end with the message that the row quotes. On an ordinary heap it must end with the same
one where the table says so; nothing is asked of the others, whose behaviour is undefined.
"""
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


def outcome(program, row, **added):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEAPWRIGHT_")}
    done = subprocess.run([program, str(row)], env={**clean, **added}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr


def main(program, document):
    failures = tried = 0
    for row, (misuse, message, ordinary) in enumerate(rows(document), 1):
        modes = [{"HEAPWRIGHT_DEBUG": "1"}] + ([{}] if ordinary == "the same" else [])
        for mode in modes:
            status, output = outcome(program, row, **mode)
            tried += 1
            if status != -signal.SIGABRT or not output.startswith(f"heapwright: {message}: 0x") or output.count("\n") != 1:
                failures += 1
                print(f"row {row}, {misuse} {mode}: status {status}, not '{message}' but\n{output}")
    past, _ = outcome(program, row + 1)
    if past != 2:
        failures += 1
        print(f"the program knows of more misuses than the {row} rows of the table that quote a message")
    print(f"{tried} misuses tried, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
