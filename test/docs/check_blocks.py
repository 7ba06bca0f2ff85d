"""check_blocks.py --compiler CC --include FOLDER --library FILE --work FOLDER [--flags FLAGS] FILE.md...

Compiles and runs the C in documents. A block that begins with ```c is code outside functions; one that begins with ```c statements
goes into main, where a heap is open; one that has a main itself is a program of its own, which prints nothing after ```c program. What else
a section has, from one ## to the next, makes one program, after the declarations of the document's first. It must print just what
stands in the section's ```text blocks: as it is, on a checked heap, and with a collection at every allocation.
"""
import argparse
import os
import re
import subprocess
import sys

MODES = {"": {}, " (checked)": {"HEAPWRIGHT_DEBUG": "1"}, " (stress)": {"HEAPWRIGHT_STRESS": "1"},
         " (checked, stress)": {"HEAPWRIGHT_DEBUG": "1", "HEAPWRIGHT_STRESS": "1"}}
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
UNUSED = ["-Wno-unused-function", "-Wno-unused-const-variable", "-Wno-unused-variable"]
FRAME = """%s
int main(void) {
    heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING});
    if (!heap) return 1;
%s
    hwr_heap_close(heap);
    return 0;
}
"""


def sections(path):
    """Yields (title, [(line, language, text)])."""
    title, blocks, language = os.path.basename(path), [], None
    with open(path) as file:
        for number, line in enumerate(file, 1):
            if language is not None:
                if line.startswith("```"):
                    blocks.append((start, language, "".join(body)))
                    language = None
                else:
                    body.append(line)
            elif line.startswith("```"):
                language, start, body = line[3:].strip(), number + 1, []
            elif line.startswith("## "):
                yield title, blocks
                title, blocks = line[3:].strip(), []
    yield title, blocks


def located(path, blocks, language):
    return "\n".join(f'#line {line} "{path}"\n{text}' for line, kind, text in blocks if kind == language)


def programs(path):
    """Yields (title, program, expected output) for every section that has code."""
    common = ""
    for title, blocks in sections(path):
        expected = "".join(text for _, kind, text in blocks if kind == "text")
        whole = [block for block in blocks if block[1].split()[:1] == ["c"] and re.search(r"\bint main\(", block[2])]
        rest = [block for block in blocks if block not in whole]
        for block in whole:
            yield title, located(path, [block], block[1]), "" if block[1] == "c program" else expected
        declarations = located(path, rest, "c")
        if declarations or any(kind == "c statements" for _, kind, _ in rest):
            # Each piece is a block of its own, so that names can be used again.
            statements = "\n".join(f'{{\n#line {line} "{path}"\n{text}}}' for line, kind, text in rest if kind == "c statements")
            yield title, FRAME % (common + declarations, statements), expected
            common = common or declarations


def report(what, output):
    print(f"{what}\n{output}")
    return 1


def run(title, program, expected):
    failures = 0
    for mode, added in MODES.items():
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HEAPWRIGHT_")}
        done = subprocess.run([program], env={**clean, **added}, cwd=os.path.dirname(program), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            failures += report(f"{title}{mode}: ends with status {done.returncode}", done.stdout)
        elif done.stdout != expected:
            failures += report(f"{title}{mode}: prints", done.stdout + "instead of\n" + expected)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in "compiler", "include", "library", "work":
        parser.add_argument("--" + option, required=True)
    parser.add_argument("--flags", default="")
    parser.add_argument("documents", nargs="+")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    work, compiled, failures = os.path.abspath(options.work), 0, 0
    for document in options.documents:
        for number, (title, source, expected) in enumerate(programs(document)):
            program = os.path.join(work, f"{os.path.basename(document)}-{number}")
            with open(program + ".c", "w") as file:
                file.write(source)
            done = subprocess.run([options.compiler, *STRICT, *UNUSED, "-I", options.include, *options.flags.split(), program + ".c",
                                   options.library, "-pthread", "-o", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            compiled += 1
            if done.returncode:
                failures += report(f"{title}: does not compile", done.stdout)
            else:
                failures += run(title, program, expected)
    print(f"{compiled} programs from {len(options.documents)} documents, {failures} failures")
    return 1 if failures or compiled < len(options.documents) else 0


if __name__ == "__main__":
    sys.exit(main())
