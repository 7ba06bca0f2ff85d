#!/usr/bin/env python3
"""The tiny collector against what it is to be.

Objects of 128 bytes in a heap half of whose blocks are free, each by the toss of a coin: nanoseconds, against 40. Collections of graphs that overflow the mark stack: instructions, counted by
callgrind, against those with a stack that is large enough. The room that is left: instructions in the largest heap against the smallest. Sizes of code and memory. The
last lines are `ratio NAME VALUE GOAL`.
"""

import argparse
import os
import re
import shutil
import statistics
import time

import harness
import tiny_size

SIZES = {"64KiB": 64 << 10, "256KiB": 256 << 10, "16MiB": 16 << 20}
SCATTERED_NS, OVERFLOW_GOAL, CORE_M3, PLANES, STATE_M3 = 40, 1.3, 1700, 0.032, 312
LIST_OF_100000 = 32 * 2 * 100000 * 34 // 32


def run(*arguments):
    """What the program printed: how often, nanoseconds for each."""
    words = harness.run([os.path.join(harness.build_directory(), "bench", "tiny-ours"), *map(str, arguments)], dict(os.environ)).stdout.split()
    return int(words[1]), float(words[2])


def instructions(*arguments):
    """Instructions of what is measured, for each time."""
    program = os.path.join(harness.build_directory(), "bench", "tiny-ours")
    result = harness.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=measured*", program,
                          *map(str, arguments)], dict(os.environ))
    return int(re.search(r"Collected : (\d+)", result.stderr).group(1)) / int(result.stdout.split()[1])


def overflow(what, size):
    return instructions(what, size) / instructions(what, size, size // 64 // 8)


def measure():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_options(parser, 7, "one round: a look, not a measurement")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    print(f"{harness.machine()}; {time.strftime('%Y-%m-%d')}; {rounds} rounds")
    lines = []
    for name, size in SIZES.items():
        nanoseconds = statistics.median(run("scattered", size)[1] for _ in range(rounds))
        print(f"128 bytes in {name}, half of it free here and there: {nanoseconds:.1f} ns")
        lines.append(harness.ratio_line(f"tiny-scattered-{name}", nanoseconds / SCATTERED_NS, 1))
    if shutil.which("valgrind"):
        for what, size in ("list", LIST_OF_100000), ("wide", 1 << 20), ("tree", 1 << 20), ("graph", 1 << 20):
            lines.append(harness.ratio_line(f"tiny-overflow-{what}", overflow(what, size), OVERFLOW_GOAL))
        lines.append(harness.ratio_line("tiny-available", instructions("available", 16 << 20) / instructions("available", 64 << 10), 1))
    else:
        print("skipped: what is counted in instructions, for want of valgrind")
    for name, forms in tiny_size.measured().items():
        for form, (code, core, state, word) in zip(("", "-small"), forms):
            print(f"{name}{form}: code {code}, core {core}, state and mark stack {state + 32 * word} bytes")
            if name == "Cortex-M3":
                lines.append(harness.ratio_line(f"tiny-core-m3{form}", core / CORE_M3, 1))
                lines.append(harness.ratio_line(f"tiny-state-m3{form}", (state + 32 * word) / STATE_M3, 1))
    lines.append(harness.ratio_line("tiny-planes", 4 / (8 * 16) / PLANES, 1))
    print("", *lines, sep="\n")
    if options.json:
        harness.write_json(options.json, {"machine": harness.machine(), "date": time.strftime("%Y-%m-%d"), "ratios": lines})


if __name__ == "__main__":
    harness.main(measure)
