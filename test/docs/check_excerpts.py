#!/usr/bin/env python3
"""check_excerpts.py PAGE: each block of C or Python in a page stands, but for its indentation, in one of the files that were linked last before it."""

import os
import re
import sys


def lines_of(text):
    return [line.strip() for line in text.splitlines()]


def stands_in(excerpt, file):
    return any(file[i:i + len(excerpt)] == excerpt for i in range(len(file)))


def main(page):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    failures, blocks, files = 0, 0, {}
    for match in re.finditer(r"^```(c|python)\n(.*?)^```$|^## .*?$|\]\(([^)]+\.(?:py|c))\)", text, re.MULTILINE | re.DOTALL):
        language, excerpt, link = match.groups()
        if link:
            with open(os.path.join(os.path.dirname(page), link), encoding="utf-8") as file:
                files[{".py": "python", ".c": "c"}[os.path.splitext(link)[1]]] = lines_of(file.read())
        elif language:
            blocks += 1
            if not stands_in(lines_of(excerpt), files.get(language, [])):
                failures += 1
                print(f"{page}: this excerpt stands in no file linked in its section:\n{excerpt}")
        else:
            files = {}
    print(f"{blocks} excerpts, {failures} wrong")
    return failures != 0 or blocks == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
