#!/usr/bin/env python3
"""How large the tiny collector is: its source compiled with -Os for each kind of processor that there is a compiler for.

Code is functions and constants, in bytes. The core is all but what many programs do without: areas that are added, hwr_tiny_get_info, weak references, and the marking of the
stack. "Small" is with HWR_TINY_SMALL. State is the heap itself, without planes, which are 4 bits a block (3 if small), and its mark stack, of a word an entry. Two heaps have two states and the code once.
"""

import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ARM = ["arm-none-eabi-gcc", "--specs=picolibc.specs", "-mthumb"]
TARGETS = {
    "Cortex-M0": [*ARM, "-mcpu=cortex-m0"], "Cortex-M0+": [*ARM, "-mcpu=cortex-m0plus"], "Cortex-M3": [*ARM, "-mcpu=cortex-m3"],
    "Cortex-M4": [*ARM, "-mcpu=cortex-m4"], "Cortex-M33": [*ARM, "-mcpu=cortex-m33"],
    "AArch64": ["aarch64-linux-gnu-gcc"], "PowerPC": ["powerpc-linux-gnu-gcc"], "this machine": ["cc"],
}
SMALL = "-DHWR_TINY_SMALL"
NOT_CORE = ("hwr_tiny_add", "hwr_tiny_get_info", "hwr_tiny_weak", "hwr_tiny_mark_stack")
PROBE = '#include "tiny/tiny.c"\nconst char probe_state[sizeof(struct hwr_tiny)] = {1};\nconst char probe_word[sizeof(void *)] = {1};\n'


def measure(command):
    """Code, core, state, and bytes of a word."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = os.path.join(folder, "probe.c"), os.path.join(folder, "probe.o")
        with open(source, "w") as file:
            file.write(PROBE)
        subprocess.run([*command, "-Os", "-std=c11", "-ffunction-sections", "-fdata-sections", "-fno-asynchronous-unwind-tables",
                        f"-I{ROOT}/include", f"-I{ROOT}/src", "-c", source, "-o", output], check=True)
        prefix = command[0][:-len("gcc")] if command[0].endswith("-gcc") else ""
        sections, symbols = (subprocess.run([prefix + tool, option, output], check=True, capture_output=True, text=True).stdout
                             for tool, option in (("size", "-A"), ("nm", "-S")))
    sizes = {words[0]: int(words[1]) for words in map(str.split, sections.splitlines())
             if len(words) == 3 and words[0].startswith((".text", ".rodata")) and "probe" not in words[0]}
    probes = {words[3]: int(words[1], 16) for words in map(str.split, symbols.splitlines()) if words[-1].startswith("probe_")}
    core = sum(size for name, size in sizes.items() if not name.startswith(tuple(".text." + one for one in NOT_CORE)))
    return sum(sizes.values()), core, probes["probe_state"], probes["probe_word"]


def measured():
    """{target: what measure() returns, and the same of the small form}, without those that there is no compiler for."""
    return {name: (measure(command), measure([*command, SMALL])) for name, command in TARGETS.items() if shutil.which(command[0])}


def main():
    print("| target | code | core | state | and 32 entries of mark stack | small: code | core | state | and 32 entries |\n|---|---|---|---|---|---|---|---|---|")
    for name, forms in measured().items():
        cells = " | ".join(f"{code:,} | {core:,} | {state} | {state + 32 * word}" for code, core, state, word in forms)
        print(f"| {name} | {cells} |")
    for name in TARGETS:
        if not shutil.which(TARGETS[name][0]):
            print(f"skipped: {name}, for want of {TARGETS[name][0]}", file=sys.stderr)


if __name__ == "__main__":
    main()
