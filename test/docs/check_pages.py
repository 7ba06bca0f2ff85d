"""check_pages.py PROJECT: every public function of a managed heap and of its kinds stands in the NAME and in the SYNOPSIS of one manual page, with the
parameters that its header gives it, and no page names a function that does not exist."""
import glob
import os
import re
import sys

HEADERS = ("heap.h", "type.h", "collect.h", "weak.h", "events.h", "kinds.h", "number.h", "text.h", "sequence.h",
           "mapping.h", "attributes.h", "array.h", "iterate.h", "tracing.h", "tiny.h")
MACROS = {"hwr_set", "hwr_give", "hwr_init"}  # functions to their users


def squeezed(text):
    return re.sub(r"\s+", "", text)


def declared(project):
    """{name: prototype without spaces}"""
    found = {}
    for header in HEADERS:
        with open(os.path.join(project, "include", "heapwright", header)) as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        for prototype, name in re.findall(r"^(?:HWR_API|static inline) ([\w *]*?\b(hwr_\w+)\([^;{]*\));", text, re.M):
            found[name] = squeezed(prototype)
    return found


def plain(page):
    """A page's text without its markup, by sections."""
    text = re.sub(r"^\.(?:BI|BR|B|I|RI|IR) (.*)$", lambda line: re.sub(r'"([^"]*)"| ', lambda m: m[1] or "", line[1]), page, flags=re.M)
    return dict(re.findall(r"^\.SH ([A-Z ]+)\n(.*?)(?=^\.SH|\Z)", text, re.M | re.S))


def main(project):
    functions, described, problems = declared(project), {}, []
    for path in sorted(glob.glob(os.path.join(project, "docs", "man", "hwr_*.3"))):
        with open(path) as file:
            sections = plain(file.read())
        page, synopsis = os.path.basename(path), squeezed(sections["SYNOPSIS"])
        for name in re.findall(r"\bhwr_\w+", sections["NAME"].split(" \\- ")[0]):
            if name in functions and functions[name] + ";" not in synopsis:
                problems.append(f"{page}: the prototype of {name} is not the header's")
            if name in functions or name in MACROS:
                described.setdefault(name, []).append(page)
            elif name != "hwr_type":
                problems.append(f"{page}: there is no {name}")
    problems += [f"{name} stands in {len(described.get(name, []))} pages" for name in sorted(functions.keys() | MACROS)
                 if len(described.get(name, [])) != 1]
    print("\n".join(problems + [f"{len(functions)} functions, {len(problems)} problems"]))
    return 1 if problems or len(functions) < 60 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
