#!/bin/sh
# lint.sh format: rewrites all C in the project's style. lint.sh check BUILD: checks the style of all C and looks for faults in
# src, tool and hosts as they are compiled in BUILD; the exit status is 1 if there is anything to find.
set -eu
cd "$(dirname "$0")/.."

sources() { find include src tool hosts bench test examples \( -name '*.[ch]' -o -name '*.cpp' \) | LC_ALL=C sort; }

# Version 14, whose style this is, if the system has it.
version_14_of() { if command -v "$1-14" >/dev/null 2>&1; then echo "$1-14"; else echo "$1"; fi; }
formatter=$(version_14_of clang-format)
tidy=$(version_14_of clang-tidy)

case ${1:-} in
format)
    sources | xargs "$formatter" -i
    ;;
check)
    status=0
    odd=$(sources | while read -r file; do "$formatter" "$file" | cmp -s - "$file" || echo "    $file"; done)
    if [ -n "$odd" ]; then
        printf 'not in the style of the project (`make format` rewrites them):\n%s\n' "$odd"
        status=1
    fi
    # Findings go to standard output; what goes to standard error is a count of those in the system's headers.
    # Only MicroPython's own build compiles what is in hosts/micropython.
    find src tool hosts -name '*.c' ! -path 'hosts/micropython/*' | LC_ALL=C sort |
        xargs -P "$(nproc)" -n 1 "$tidy" -p "$2" --quiet 2>/dev/null || status=1
    exit $status
    ;;
*)
    echo "usage: lint.sh format | check BUILD" >&2
    exit 2
    ;;
esac
